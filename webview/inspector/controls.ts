/** What the person chooses: run, checkpoint, another beside it, image, class or prompt, noise level, step. */
import type { LevelChoice, Sample } from '../../backend/protocol/inspection.ts';
import type { InspectedState } from '../../backend/protocol/panels/inspector.ts';
import { parseSeed } from '../../backend/protocol/seed.ts';
import { apply, element, fillWith, icon, setText } from '../shared/dom.ts';
import { count, number } from '../shared/format.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';
import type { Inspector } from './inspector.ts';

/** While a slider moves, so long after its last move it is asked for. */
const settleMilliseconds = 120;

export class Controls {
  readonly root: HTMLElement;
  readonly #inspector: Inspector;
  readonly #run: HTMLButtonElement;
  readonly #state: HTMLSelectElement;
  readonly #other: HTMLSelectElement;
  readonly #kind: HTMLSelectElement;
  readonly #number: HTMLInputElement;
  readonly #class: HTMLSelectElement;
  readonly #prompt: HTMLInputElement;
  readonly #prompts = element('datalist', { id: 'prompts' });
  readonly #level: HTMLInputElement;
  readonly #levels = element('datalist', { id: 'levels' });
  readonly #sigma: HTMLInputElement;
  readonly #levelWords = element('span', { class: 'number muted' });
  readonly #step: HTMLInputElement;
  readonly #chosen: HTMLElement;
  readonly #classField: HTMLElement;
  readonly #promptField: HTMLElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param actions buttons that save what is shown */
  constructor(inspector: Inspector, actions: readonly HTMLElement[]) {
    const { texts } = inspector;
    this.#inspector = inspector;
    this.#run = element('button', { class: 'plain run', onclick: () => void inspector.pickRun() });
    this.#state = this.#select(texts.state, (value) => inspector.change({ state: stateOf(value) }));
    this.#other = this.#select(texts.beside, (value) => inspector.change({ other: value ? stateOf(value) : null }));
    this.#kind = this.#select(texts.sample, () => this.#changeSample());
    this.#number = input(texts.sampleNumber, '8ch', () => this.#changeSample());
    this.#class = this.#select(texts.class, (value) =>
      inspector.change({ query: { condition: value === '' ? null : { class: Number(value) } } }),
    );
    this.#prompt = input(texts.prompt, '28ch', (prompt) =>
      inspector.change({ query: { condition: prompt.trim() ? { prompt } : null } }),
    );
    apply(this.#prompt, { list: 'prompts', placeholder: texts.promptHint });
    this.#level = element('input', {
      ...{ type: 'range', min: 0, step: 1, list: 'levels', 'aria-label': texts.level, title: texts.levelHint },
      oninput: () => this.#settled({ by: 'index', value: Number(this.#level.value) }),
    });
    this.#sigma = input(texts.sigma, '8ch', (text) => {
      const sigma = Number(text.replace(',', '.'));
      if (sigma > 0 && Number.isFinite(sigma)) inspector.change({ query: { level: { by: 'sigma', value: sigma } } });
      else this.update();
    });
    this.#step = input(texts.stepSizeHint, '6ch', (text) => {
      const stepSize = Number(text.replace(',', '.'));
      if (Number.isFinite(stepSize)) inspector.change({ query: { stepSize } });
      else this.update();
    });
    this.#classField = field(texts.class, this.#class);
    this.#promptField = field(texts.prompt, this.#prompt, this.#prompts);
    const again = element(
      'button',
      { class: 'plain', title: texts.refresh, 'aria-label': texts.refresh, onclick: () => inspector.again() },
      icon(icons.again),
    );
    this.#chosen = element(
      'div',
      { class: 'choices' },
      ...[field(texts.state, this.#state, again), field(texts.beside, this.#other)],
      field(texts.sample, this.#kind, this.#number),
      ...[this.#classField, this.#promptField],
      field(
        texts.level,
        this.#level,
        this.#levels,
        element('span', { class: 'muted' }, 'σ'),
        this.#sigma,
        this.#levelWords,
      ),
      field(texts.stepSize, this.#step),
      element('span', { class: 'actions' }, ...actions),
    );
    this.root = element('div', { class: 'controls' }, this.#run, this.#chosen);
    for (const [kind, name] of Object.entries({
      seed: texts.sampleSeed,
      samples: texts.sampleRecorded,
      probe: texts.sampleProbe,
    })) {
      this.#kind.append(element('option', { value: kind }, name));
    }
  }

  update(): void {
    const { texts, described, state, found } = this.#inspector;
    setText(this.#run, described?.name ?? texts.pickRun);
    apply(this.#run, { title: state.folder ?? texts.pickRun, 'aria-label': `${texts.run}: ${described?.name ?? ''}` });
    this.#chosen.hidden = described === null;
    if (!described) return;
    const { checkpoints, live, levels, classes, prompts, latent, range } = described;
    const states = [
      ...(live ? [['live', texts.stateLive] as const] : []),
      ...checkpoints.map((step) => [String(step), fill(texts.stateStep, count(step))] as const),
    ];
    const newest = checkpoints[0] ?? 'live';
    options(this.#state, states, String(state.state === 'latest' ? newest : state.state));
    options(this.#other, [['', texts.besideNone], ...states], state.other === null ? '' : String(state.other));
    const { sample, condition, level, stepSize } = state.query;
    this.#kind.value = sample.kind;
    setValue(this.#number, sample.kind === 'seed' ? String(sample.seed) : String(sample.index + 1));
    for (const [kind, there] of [
      ['samples', described.samples],
      ['probe', described.probe],
    ] as const) {
      apply(this.#kind.querySelector(`option[value="${kind}"]`)!, { disabled: there === 0 });
    }
    this.#classField.hidden = latent || classes.length === 0;
    this.#promptField.hidden = !latent;
    const own = found.at(-1)?.class;
    const ownName =
      typeof own === 'number' && condition === null ? `${texts.ownCondition}: ${classes[own]}` : texts.ownCondition;
    const named = classes.map((name, id) => [String(id), name] as const);
    options(this.#class, [['', ownName], ...named], condition && 'class' in condition ? String(condition.class) : '');
    setValue(this.#prompt, condition && 'prompt' in condition ? condition.prompt : '');
    apply(this.#prompt, { placeholder: found.at(-1)?.prompt || texts.promptHint });
    if (this.#prompts.childElementCount !== prompts.length) {
      fillWith(this.#prompts, ...prompts.map((value) => element('option', { value })));
    }
    const { sigma } = levels;
    apply(this.#level, { max: sigma.length - 1 });
    const shown = found.at(-1)?.level;
    const index = level.by === 'sigma' ? (shown?.index ?? 0) : level.value;
    if (this.#timer === undefined) this.#level.value = String(index);
    fillWith(this.#levels, ...range.map((value) => element('option', { value })));
    const at = Number(this.#level.value);
    setValue(this.#sigma, number(level.by === 'sigma' ? level.value : sigma[at]!, 4));
    setText(this.#levelWords, levels.timesteps ? fill(texts.timestep, at) : '');
    apply(this.#level, { 'aria-valuetext': fill(texts.atLevel, at, number(sigma[at]!, 4)) });
    setValue(this.#step, String(stepSize));
  }

  #changeSample(): void {
    const kind = this.#kind.value as Sample['kind'];
    const text = this.#number.value;
    if (kind === 'seed') {
      const seed = parseSeed(text);
      if (seed === null) this.update();
      else this.#inspector.change({ query: { sample: { kind, seed } } });
      return;
    }
    const { samples, probe } = this.#inspector.described!;
    const most = kind === 'samples' ? samples : probe;
    const index = Math.min(most, Math.max(1, Math.round(Number(text)) || 1)) - 1;
    this.#inspector.change({ query: { sample: { kind, index } } });
  }

  #settled(level: LevelChoice): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#inspector.change({ query: { level } });
    }, settleMilliseconds);
    setValue(this.#sigma, number(this.#inspector.described!.levels.sigma[Number(this.#level.value)]!, 4));
  }

  #select(name: string, change: (value: string) => void): HTMLSelectElement {
    const select: HTMLSelectElement = element('select', { 'aria-label': name, onchange: () => change(select.value) });
    return select;
  }
}

const stateOf = (value: string): InspectedState => (value === 'live' ? value : Number(value));

function input(name: string, width: string, change: (value: string) => void): HTMLInputElement {
  const made: HTMLInputElement = element('input', {
    ...{ type: 'text', 'aria-label': name, title: name, style: `width: ${width}`, onchange: () => change(made.value) },
  });
  return made;
}

function setValue(target: HTMLInputElement, value: string): void {
  if (document.activeElement !== target && target.value !== value) target.value = value;
}

function options(select: HTMLSelectElement, all: readonly (readonly [string, string])[], chosen: string): void {
  const key = JSON.stringify(all);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    fillWith(select, ...all.map(([value, name]) => element('option', { value }, name)));
  }
  select.value = chosen;
}

function field(title: string, ...controls: readonly HTMLElement[]): HTMLElement {
  return element('span', { class: 'field' }, element('span', { class: 'muted' }, title), ...controls);
}
