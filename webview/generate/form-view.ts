/** What is to be made: model, class or prompt, seed and so on. Says at once what the person changed. */
import { type Form, mostImages, type View } from '../../backend/protocol/panels/generate.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { parseSeed } from '../../backend/protocol/seed.ts';
import { element } from '../shared/dom.ts';
import { Choice, type Option } from './choice.ts';
import type { Texts } from './texts.ts';

type Field = HTMLElement & { value: string };
type Box = HTMLElement & { checked: boolean };

const longestPrompt = 10_000;

export interface FormActions {
  changed(form: Form): void;
  generate(): void;
  openPng(): void;
}

export class FormView {
  readonly element: HTMLElement;
  readonly #text: Texts;
  readonly #actions: FormActions;
  readonly #model: Choice;
  readonly #class: Choice;
  readonly #device: Choice;
  readonly #other: Choice;
  readonly #prompt: Field;
  readonly #recent: Choice;
  readonly #live: Box;
  readonly #negative: Field;
  readonly #guidance: Field;
  readonly #seed: Field;
  readonly #count: Field;
  readonly #steps: Field;
  readonly #locked: Box;
  readonly #beside: Box;
  readonly #problem = element('p', { class: 'error small', role: 'alert' });
  readonly #start: HTMLElement;
  #form: Form | null = null;
  #view: View | null = null;
  #filling = false;

  constructor(text: Texts, actions: FormActions) {
    this.#text = text;
    this.#actions = actions;
    const changed = () => this.#read();
    this.#model = new Choice('model', text('model'), changed);
    this.#class = new Choice('class', text('class'), changed);
    this.#device = new Choice('device', text('device'), changed);
    this.#other = new Choice('other', text('other'), changed);
    this.#prompt = element('vscode-text-area', { id: 'prompt', rows: 3, oninput: changed }, text('prompt')) as Field;
    this.#prompt.setAttribute('placeholder', text('promptHint'));
    this.#recent = new Choice('recent', text('recent'), () => this.#recall());
    this.#live = element('vscode-checkbox', { id: 'live', onchange: changed }, text('live')) as Box;
    this.#negative = element('vscode-text-field', { id: 'negative', oninput: changed }, text('negative')) as Field;
    this.#negative.setAttribute('placeholder', text('negativeHint'));
    this.#guidance = field('guidance', text('guidance'), changed);
    this.#seed = field('seed', text('seed'), changed);
    this.#count = field('count', text('count'), changed);
    this.#steps = field('steps', text('steps'), changed);
    this.#locked = element('vscode-checkbox', { id: 'locked', onchange: changed }, text('lock')) as Box;
    this.#beside = element('vscode-checkbox', { id: 'beside', onchange: changed }, text('beside')) as Box;
    const random = () => this.#randomSeed();
    this.#start = element('vscode-button', { id: 'generate', onclick: () => actions.generate() }, text('generate'));
    this.element = element(
      'form',
      { class: 'form', 'aria-label': text('settings'), onsubmit: (event: Event) => event.preventDefault() },
      this.#model.element,
      this.#problem,
      this.#class.element,
      this.#prompt,
      this.#live,
      this.#recent.element,
      this.#negative,
      this.#guidance,
      element(
        'div',
        { class: 'row' },
        this.#seed,
        element('vscode-button', { appearance: 'secondary', id: 'random', onclick: random }, text('random')),
      ),
      this.#locked,
      element('div', { class: 'row halves' }, this.#count, this.#steps),
      this.#device.element,
      this.#beside,
      this.#other.element,
      this.#start,
      element('vscode-button', { appearance: 'secondary', id: 'open', onclick: () => actions.openPng() }, text('open')),
      element('p', { class: 'muted small' }, text('dropHint')),
    );
    this.element.addEventListener('keydown', (event) => this.#enter(event));
  }

  get form(): Form | null {
    return this.#form;
  }

  /** @param takeForm whether the form is the host's, or what the person types stays */
  show(view: View, takeForm: boolean): void {
    this.#view = view;
    if (takeForm || !this.#form) {
      this.#form = view.form;
      this.#filling = true; // the toolkit's boxes say that they changed also when it was not the person
      const { prompt, negative, guidance, live, seed, count, steps, locked, beside } = view.form;
      this.#prompt.value = prompt;
      this.#negative.value = negative;
      this.#guidance.value = guidance === null ? '' : String(guidance);
      this.#live.checked = live;
      this.#seed.value = String(seed);
      this.#count.value = String(count);
      this.#steps.value = steps === null ? '' : String(steps);
      this.#locked.checked = locked;
      this.#beside.checked = beside;
      this.#filling = false;
    }
    this.#showChoices(view, this.#form);
  }

  /** What the chosen model allows. */
  #showChoices(view: View, form: Form): void {
    const text = this.#text;
    const { models, state } = view;
    const info = models.find(({ model }) => model === form.model);
    this.#model.show(modelOptions(models, form.model, state), form.model);
    this.#other.show(
      [
        { value: '', label: info?.teacher ? text('ownTeacher') : text('chooseOther') },
        ...modelOptions(models, '', state),
      ],
      form.other,
    );
    this.#other.visible(form.beside);
    const classes = info?.classes ?? [];
    this.#class.show(classOptions(classes, text), String(form.class));
    this.#class.visible(classes.length > 0);
    this.#showWords(view, info);
    this.#device.show(deviceOptions(view, form.device, text), form.device);
    const teacher = form.beside || info?.role === 'teacher';
    this.#steps.hidden = !teacher;
    const steps = models.find(({ role, model }) => role === 'teacher' && model === (teacherOf(form, info) ?? model));
    this.#steps.setAttribute('placeholder', text('stepsDefault', steps?.steps ?? ''));
    const gone = state === 'ready' && !info ? text('gone', form.model) : (info?.problem ?? '');
    this.#problem.textContent = gone;
    this.#problem.hidden = gone === '';
    const usable = state === 'ready' && gone === '';
    this.#start.toggleAttribute('disabled', !usable);
  }

  /** What only a text model has. */
  #showWords({ prompts }: View, info: ModelInfo | undefined): void {
    const text = this.#text;
    const takesPrompt = info?.prompt ?? false;
    this.#prompt.hidden = !takesPrompt;
    this.#live.hidden = !takesPrompt || info?.steps !== 1;
    const recent = prompts.map((prompt) => ({ value: prompt, label: shortened(prompt), title: prompt }));
    this.#recent.show([{ value: '', label: text('recentChoose') }, ...recent], '');
    this.#recent.visible(takesPrompt && recent.length > 0);
    const guidance = info?.guidance ?? null;
    this.#negative.hidden = guidance === null;
    this.#guidance.hidden = guidance === null;
    this.#guidance.setAttribute('placeholder', text('stepsDefault', guidance ?? ''));
  }

  /** An earlier prompt takes the place of what is typed. */
  #recall(): void {
    const { value } = this.#recent;
    if (value === '') return;
    this.#prompt.value = value;
    this.#read();
  }

  #read(): void {
    const { form: before } = this;
    if (!before || !this.#view || this.#filling) return;
    const model = this.#model.value || before.model;
    const id = this.#class.value;
    const another = model !== before.model;
    const known = this.#view.models.find((info) => info.model === model)?.classes.length ?? 0;
    const chosen = id === '' ? before.class : id === 'seed' || id === 'each' ? id : Number(id);
    this.#form = {
      model,
      class: typeof chosen === 'number' && chosen >= known ? 'seed' : chosen,
      prompt: this.#prompt.value.slice(0, longestPrompt),
      negative: this.#negative.value.slice(0, longestPrompt),
      guidance: decimal(this.#guidance.value, 0, 100),
      live: this.#live.checked,
      seed: parseSeed(this.#seed.value) ?? before.seed,
      locked: this.#locked.checked,
      count: whole(this.#count.value, 1, mostImages) ?? before.count,
      // Another model has its own number of steps.
      steps: another ? null : whole(this.#steps.value, 1, 1000),
      device: this.#device.value || before.device,
      beside: this.#beside.checked,
      other: another ? '' : this.#other.value,
    };
    if (another) this.#steps.value = '';
    this.#markWrong();
    this.#showChoices(this.#view, this.#form);
    this.#actions.changed(this.#form);
  }

  #markWrong(): void {
    const wrong = (node: Field, min: number, max: number, empty: boolean, read = whole) => {
      mark(node, !(empty && node.value.trim() === '') && read(node.value, min, max) === null);
    };
    mark(this.#seed, parseSeed(this.#seed.value) === null);
    wrong(this.#count, 1, mostImages, false);
    wrong(this.#steps, 1, 1000, true);
    wrong(this.#guidance, 0, 100, true, decimal);
  }

  #randomSeed(): void {
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.#seed.value = String(seed);
    this.#locked.checked = true;
    this.#read();
  }

  /** Enter generates, except where it means something else. */
  #enter(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const isField =
      target.localName === 'vscode-text-field' || (target.localName === 'vscode-text-area' && event.ctrlKey);
    if (event.key !== 'Enter' || !isField || this.#start.hasAttribute('disabled')) return;
    event.preventDefault();
    this.#actions.generate();
  }
}

function field(id: string, label: string, changed: () => void): Field {
  return element('vscode-text-field', { id, size: 12, oninput: changed, inputmode: 'numeric' }, label) as Field;
}

function mark(node: Field, bad: boolean): void {
  node.classList.toggle('wrong', bad);
  node.setAttribute('aria-invalid', String(bad));
}

/** Null for what is no whole number in the range. */
function whole(text: string, min: number, max: number): number | null {
  if (!/^\s*\d+\s*$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

/** Null for what is no number in the range. */
function decimal(text: string, min: number, max: number): number | null {
  if (!/^\s*\d+([.,]\d+)?\s*$/.test(text)) return null;
  const value = Number(text.replace(',', '.'));
  return value >= min && value <= max ? value : null;
}

function shortened(prompt: string): string {
  return prompt.length > 60 ? `${prompt.slice(0, 59)}…` : prompt;
}

function modelOptions(models: readonly ModelInfo[], chosen: string, state: View['state']): Option[] {
  const options = models.map(({ model, title, problem }): Option => {
    return { value: model, label: title, title: problem || model, disabled: problem !== '' && model !== chosen };
  });
  const known = chosen === '' || models.some(({ model }) => model === chosen);
  // What is chosen but not (yet) known is shown all the same.
  const label = chosen.split(/[\\/]/).at(-1) ?? chosen;
  return known ? options : [{ value: chosen, label, disabled: state === 'ready' }, ...options];
}

function classOptions(classes: readonly string[], text: Texts): Option[] {
  const named = classes.map((name, id) => ({ value: String(id), label: name === String(id) ? name : `${id} ${name}` }));
  return [{ value: 'seed', label: text('classFromSeed') }, { value: 'each', label: text('classEach') }, ...named];
}

function deviceOptions({ devices }: View, chosen: string, text: Texts): Option[] {
  const known = devices.map(({ name, detail, available }): Option => {
    return { value: name, label: available ? `${name} (${detail})` : name, title: detail, disabled: !available };
  });
  const own = known.some(({ value }) => value === 'cpu') ? known : [{ value: 'cpu', label: 'cpu' }, ...known];
  const all = [{ value: 'auto', label: text('deviceAuto') }, ...own];
  return all.some(({ value }) => value === chosen) ? all : [...all, { value: chosen, label: chosen }];
}

function teacherOf({ beside, other }: Form, info: ModelInfo | undefined): string | null {
  if (info?.role === 'teacher') return info.model;
  return beside ? other || (info?.teacher ?? null) : null;
}
