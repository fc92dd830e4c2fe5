/** The monitor's page: makes its parts and tells them of each other's news. */
import 'uplot/dist/uPlot.min.css';
import '../shared/theme.css';
import './monitor.css';
import { monitorLive } from '../../backend/protocol/panels/monitor.ts';
import { monitorInitialSchema } from '../../backend/protocol/panels/monitor-texts.ts';
import { onTheme } from '../shared/colours.ts';
import { element } from '../shared/dom.ts';
import { connectHost } from '../shared/host.ts';
import { readInitial } from '../shared/initial.ts';
import { CurvesPanel } from './charts/curves-panel.ts';
import { CursorBar } from './cursor-bar.ts';
import type { RunData } from './data/run-data.ts';
import { Header } from './header.ts';
import { listenToKeys } from './keys.ts';
import { Monitor } from './monitor.ts';
import { FieldsView } from './pictures/fields-view.ts';
import { SamplesView } from './pictures/samples-view.ts';
import { Player } from './player.ts';
import { RunList } from './run-list.ts';

const host = connectHost();
const monitor = new Monitor(host, readInitial(monitorInitialSchema).texts);
const header = new Header(monitor);
const runList = new RunList(monitor);
const curves = new CurvesPanel(monitor);
const samples = new SamplesView(monitor);
const fields = new FieldsView(monitor);
const player = new Player(monitor.cursor, () => samples.settled && fields.settled);
const cursorBar = new CursorBar(monitor, player);

document
  .getElementById('root')!
  .append(
    header.root,
    runList.root,
    cursorBar.root,
    element('main', {}, curves.root, element('div', { class: 'pictures' }, samples.root, fields.root)),
  );
listenToKeys(monitor, curves, player);

const known = new WeakSet<RunData>();
monitor.onRuns.on(() => {
  for (const run of monitor.runs) if (!known.has(run)) watch(run);
});
onTheme(() => {
  curves.redraw();
  fields.redraw();
  runList.update();
});
host.on(monitorLive, ({ folder, event }) => {
  if (event.type === 'probe') fields.live(folder, event.fields);
});
void monitor.start();

function watch(run: RunData): void {
  known.add(run);
  curves.watch(run);
  run.onRecord.on(() => {
    header.update();
    runList.update();
    samples.update();
    fields.update();
  });
  run.onCurves.on(() => cursorBar.update());
  run.onRecorded.on(() => {
    cursorBar.update();
    samples.update();
    fields.update();
  });
  run.onRestart.on(() => {
    samples.forget(run.folder);
    fields.forget(run.folder);
  });
}
