/** The monitor's page: makes its parts and tells them of each other's news. */
import 'uplot/dist/uPlot.min.css';
import '../shared/heatmaps/heatmaps.css';
import '../shared/theme.css';
import './monitor.css';
import './charts/charts.css';
import './pictures/pictures.css';
import './runs/runs.css';
import { monitorInitialSchema, monitorLive } from '../../backend/protocol/panels/monitor.ts';
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
import { PicturesPanel } from './pictures/panel.ts';
import { PictureStrip } from './pictures/strip.ts';
import { Player } from './player.ts';
import { RunList } from './run-list.ts';
import { Split } from './split.ts';

const host = connectHost();
const { texts, scores, charts } = readInitial(monitorInitialSchema);
const monitor = new Monitor(host, texts, scores, charts);
const header = new Header(monitor);
const runList = new RunList(monitor);
const curves = new CurvesPanel(monitor);
const pictures = new PicturesPanel(monitor);
const strip = new PictureStrip(monitor, pictures.store, pictures.root);
const player = new Player(monitor.cursor, () => pictures.settled);
const cursorBar = new CursorBar(monitor, player);
const main = element('main', {});
main.append(curves.root, new Split(monitor, main).root, pictures.root);

document
  .getElementById('root')!
  .append(header.root, runList.root, element('div', { class: 'pinned' }, cursorBar.root, strip.root), main);
listenToKeys(monitor, curves, player);

const known = new WeakSet<RunData>();
monitor.onRuns.on(() => {
  for (const run of monitor.runs) if (!known.has(run)) watch(run);
});
onTheme(() => {
  curves.redraw();
  pictures.redraw();
  runList.update();
});
host.on(monitorLive, ({ folder, event }) => {
  if (event.type === 'probe') pictures.live(folder, event.fields);
});
void monitor.start();

function watch(run: RunData): void {
  known.add(run);
  curves.watch(run);
  run.onRecord.on(() => {
    header.update();
    runList.update();
    pictures.update();
    strip.update();
  });
  run.onCurves.on(() => {
    header.updateRanks();
    cursorBar.update();
    runList.update();
  });
  run.onRecorded.on(() => {
    cursorBar.update();
    pictures.update();
    strip.update();
  });
  run.onRestart.on(() => pictures.forget(run.folder));
}
