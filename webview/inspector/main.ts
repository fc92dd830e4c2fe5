/** The score inspector's page: makes its parts and tells them of each other's news. */
import 'uplot/dist/uPlot.min.css';
import '../shared/theme.css';
import '../shared/heatmaps/heatmaps.css';
import './inspector.css';
import { saveInspectorPng, saveInspectorTensors } from '../../backend/protocol/panels/inspector.ts';
import { inspectorInitialSchema } from '../../backend/protocol/panels/inspector-texts.ts';
import { onTheme } from '../shared/colours.ts';
import { apply, element, setText } from '../shared/dom.ts';
import { count } from '../shared/format.ts';
import { connectHost } from '../shared/host.ts';
import { fill, readInitial } from '../shared/initial.ts';
import { encodeSafetensors } from '../shared/safetensors.ts';
import { firstLook, lookSchema } from '../shared/scores/look.ts';
import type { ScoreSet } from '../shared/scores/score-set.ts';
import { ScoreSetView } from '../shared/scores/score-set-view.ts';
import { setsPicture } from '../shared/scores/sets-picture.ts';
import { Controls } from './controls.ts';
import { CurvesView } from './curves.ts';
import { Inspector } from './inspector.ts';
import { setDifferences, setsOf, stripDifference } from './sets.ts';
import { type Strip, StripsView } from './strips.ts';
import { tensorsOf } from './tensors.ts';

const host = connectHost();
const { texts, choice } = readInitial(inspectorInitialSchema);
const inspector = new Inspector(host, texts, choice);
const look = lookSchema.safeParse(inspector.state.look);
const sets = new ScoreSetView({
  texts,
  look: look.success ? look.data : firstLook,
  onLook: (next) => inspector.keepLook(next),
});
const chooseLevel = (value: number) => inspector.change({ query: { level: { by: 'index', value } } });
const strips = new StripsView(texts, sets.group, chooseLevel);
const curves = new CurvesView(texts, chooseLevel);
const save = (name: string, act: () => Promise<void>) =>
  element('button', { class: 'plain', onclick: () => void act() }, name);
const controls = new Controls(inspector, [save(texts.savePng, savePng), save(texts.saveTensors, saveTensors)]);
const work = element('span', { class: 'work muted', role: 'status' });
const cancel = element('button', { class: 'plain', onclick: () => inspector.cancel() }, texts.cancel);
const working = element('p', { class: 'working', hidden: true }, work, cancel);
const problem = element('p', { class: 'problem error', role: 'alert', hidden: true });
const notes = element('p', { class: 'notes muted', hidden: true });
const empty = element('p', { class: 'empty muted' }, texts.noRun);
const body = element(
  'main',
  { hidden: true },
  sets.root,
  element('section', { class: 'over-levels' }, element('h2', { title: texts.stripHint }, texts.strip), strips.root),
  element('section', {}, element('h2', {}, texts.curves), curves.root),
);
document.getElementById('root')!.append(controls.root, working, problem, notes, empty, body);

let shownSets: readonly ScoreSet[] = [];
let shown: unknown;
let stripLook: unknown;

inspector.onChange.on(update);
onTheme(() => {
  shown = undefined;
  update();
});
update();
inspector.start();

function update(): void {
  controls.update();
  const { found, described, problem: wrong, work: under, state } = inspector;
  working.hidden = under === null;
  if (under) {
    const label = workWords()[under.label] ?? under.label;
    setText(work, under.total > 1 ? fill(texts.working, label, under.done, under.total) : `${label}…`);
  }
  problem.hidden = wrong === null;
  setText(problem, wrong ? [wrong.message, wrong.hint].filter(Boolean).join('. ').replace(/\.\. /, '. ') : '');
  empty.hidden = state.folder !== null;
  body.hidden = found.length === 0;
  apply(body, { 'aria-busy': String(under !== null) });
  const all = found.flatMap((one) => one.notes);
  notes.hidden = all.length === 0;
  setText(notes, [...new Set(all)].join('. '));
  if (found.length === 0 || !described) {
    shown = undefined;
    return;
  }
  const seen = sets.look;
  if (shown !== found) {
    shownSets = setsToShow();
    sets.show(shownSets);
    curves.show(
      found.map((inspection) => ({
        title: found.length > 1 ? fill(texts.setOf, count(inspection.step)) : '',
        inspection,
      })),
    );
  }
  const last = found.at(-1)!;
  if (shown !== found || stripLook !== seen) strips.show(stripsToShow(), seen);
  stripLook = seen;
  shown = found;
  apply(body, { 'data-step': last.step, 'data-level': last.level.index });
}

function setsToShow(): ScoreSet[] {
  const { found, state } = inspector;
  const of = (i: number) => setsOf(texts, found[i]!, fill(texts.setOf, count(found[i]!.step)), state.query.stepSize);
  if (found.length === 1) return of(0);
  const [before, after] = [of(0), of(1)];
  return [...before, ...after, ...setDifferences(differenceTitle(), before, after)];
}

/** Of every state that is shown, and what differs between two of them. */
function stripsToShow(): Strip[] {
  const { found } = inspector;
  const [first, second] = found;
  if (!second) return [{ title: '', inspection: first!, isDifference: false }];
  return [
    ...found.map((inspection) => {
      return { title: fill(texts.setOf, count(inspection.step)), inspection, isDifference: false };
    }),
    { title: differenceTitle(), inspection: stripDifference(first!, second), isDifference: true },
  ];
}

function differenceTitle(): string {
  const [before, after] = inspector.found.map(({ step }) => count(step));
  return fill(texts.setDifference, before!, after!);
}

function workWords(): Record<string, string> {
  return {
    ...{ waiting: texts.workWaiting, opening: texts.workOpening, levels: texts.workLevels },
    'asking the run': texts.workAsking,
  };
}

function nameOf(): string {
  const { described, found } = inspector;
  const steps = found.map(({ step }) => step).join('-');
  return `${described?.name ?? 'scores'}-step-${steps}-level-${found.at(-1)?.level.index}`;
}

async function savePng(): Promise<void> {
  if (inspector.found.length === 0) return;
  const png = await setsPicture(sets, shownSets, nameOf());
  await host.request(saveInspectorPng, { name: `${nameOf()}.png`, png });
}

async function saveTensors(): Promise<void> {
  const { found, state } = inspector;
  if (found.length === 0) return;
  const metadata = {
    run: state.folder ?? '',
    query: JSON.stringify(state.query),
    steps: found.map(({ step }) => step).join(),
  };
  const file = encodeSafetensors(tensorsOf(found), metadata);
  await host.request(saveInspectorTensors, { name: `${nameOf()}.safetensors`, file });
}
