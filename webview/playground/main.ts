/** The playground's page: the plane in the middle, what drives it below, what is set and what there is to see beside it. */
import '../shared/theme.css';
import './playground.css';
import { openRunConfig, openRunMonitor } from '../../backend/protocol/panels/playground.ts';
import { playgroundInitialSchema } from '../../backend/protocol/panels/playground-texts.ts';
import { onTheme } from '../shared/colours.ts';
import { element } from '../shared/dom.ts';
import { connectHost } from '../shared/host.ts';
import { readInitial } from '../shared/initial.ts';
import { LookView } from './look-view.ts';
import { PlaneView, type Tool } from './plane-view.ts';
import { Playground } from './playground.ts';
import { SettingsView } from './settings-view.ts';
import { Transport } from './transport.ts';

const host = connectHost();
const playground = new Playground(host, readInitial(playgroundInitialSchema).texts);
const plane = new PlaneView(playground);
const useTool = (tool: Tool) => {
  plane.tool = tool;
};
const settings = new SettingsView(playground, useTool);
const look = new LookView(playground);
const ask = (definition: typeof openRunMonitor) => () => {
  const { folder } = playground;
  if (folder !== null)
    host.request(definition, { folder }).catch((error: Error) => playground.say(error.message, true));
};
const transport = new Transport(playground, { monitor: ask(openRunMonitor), config: ask(openRunConfig) });

document
  .getElementById('root')!
  .append(
    element('main', {}, settings.root, element('div', { class: 'centre' }, plane.root, transport.root), look.root),
  );
settings.showTool('look');
useTool('look');

let spoken = '';
const update = () => {
  settings.update();
  transport.update();
  const verdict = look.update();
  plane.update();
  // Said where it stands still, not at every step.
  if (playground.isPlaying || verdict === spoken) return;
  spoken = verdict;
  plane.say(verdict);
};
playground.onChange.on(update);
onTheme(update);
update();
void playground.start();
