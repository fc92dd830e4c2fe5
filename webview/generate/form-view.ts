/** What is to be made: model, class or prompt, seed and so on. Says at once what the person changed. */
import { type Form, mostImages, type View } from '../../backend/protocol/panels/generate.ts';
import { keepingSeed, mostSteps, parseSize, sizeText } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { parseSeed, type Seed } from '../../backend/protocol/seed.ts';
import { element } from '../shared/dom.ts';
import { button, typedInto } from '../shared/toolkit.ts';
import { Choice } from './choice.ts';
import { DecoderField } from './decoder-field.ts';
import { type Box, checkbox, type Field, field, mark, whole } from './field.ts';
import { GridFields } from './grid-fields.ts';
import { classOptions, deviceOptions, modelOptions, samplerOptions, severalStepsOf } from './options.ts';
import type { Texts } from './texts.ts';
import { WordsFields } from './words-fields.ts';

export interface FormActions {
  changed(form: Form): void;
  generate(): void;
  openPng(): void;
  /** Asks for a folder, for `useDecoder`. */
  pickDecoder(): void;
}

/** In CSS pixels: in less the settings would push the pictures out of sight. */
const roomy = 560;

export class FormView {
  readonly element: HTMLElement;
  readonly #text: Texts;
  readonly #actions: FormActions;
  readonly #model: Choice;
  readonly #class: Choice;
  readonly #words: WordsFields;
  readonly #seed: Field;
  readonly #locked: Box;
  readonly #count: Field;
  readonly #steps: Field;
  readonly #sampler: Choice;
  readonly #size: Field;
  readonly #decoder: DecoderField;
  readonly #device: Choice;
  readonly #beside: Box;
  readonly #other: Choice;
  readonly #grid: GridFields;
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
    this.#words = new WordsFields(text, changed);
    this.#seed = field('seed', text('seed'), changed);
    this.#locked = checkbox('locked', text('lock'), changed);
    this.#count = field('count', text('count'), changed);
    this.#steps = field('steps', text('steps'), changed);
    this.#sampler = new Choice('sampler', text('sampler'), changed);
    this.#size = field('size', text('size'), changed);
    this.#decoder = new DecoderField(text, changed, () => actions.pickDecoder());
    this.#device = new Choice('device', text('device'), changed);
    this.#beside = checkbox('beside', text('beside'), changed);
    this.#other = new Choice('other', text('other'), changed);
    this.#grid = new GridFields(text, changed);
    this.#start = button({ id: 'generate', onclick: () => actions.generate() }, text('generate'));
    const random = () => this.useSeed(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
    const settings = element(
      'details',
      { class: 'settings', open: innerWidth >= roomy },
      element('summary', {}, text('settings')),
      element(
        'div',
        { class: 'fields' },
        element(
          'div',
          { class: 'row' },
          this.#seed,
          button({ appearance: 'secondary', id: 'random', onclick: random }, text('random')),
        ),
        this.#locked,
        element('div', { class: 'row halves' }, this.#count, this.#steps),
        this.#words.guided,
        this.#sampler.element,
        this.#size,
        this.#decoder.element,
        this.#device.element,
        this.#beside,
        this.#other.element,
        this.#grid.element,
        button({ appearance: 'secondary', id: 'open', onclick: () => actions.openPng() }, text('open')),
        element('p', { class: 'muted small' }, text('dropHint')),
      ),
    );
    this.element = element(
      'form',
      { class: 'form', 'aria-label': text('settings'), onsubmit: (event: Event) => event.preventDefault() },
      this.#model.element,
      this.#problem,
      this.#class.element,
      this.#words.prompt,
      this.#start,
      settings,
    );
    this.element.addEventListener('keydown', (event) => this.#enter(event));
  }

  get form(): Form | null {
    return this.#form;
  }

  /** The next images are drawn from it, until the person lets it go. */
  useSeed(seed: Seed): void {
    this.#seed.value = String(seed);
    this.#locked.checked = true;
    this.#read();
  }

  /** @param folder of the autoencoder that makes the pixels */
  useDecoder(folder: string): void {
    this.#decoder.value = folder;
    this.#read();
  }

  /** @param takeForm whether the form is the host's, or what the person types stays */
  show(view: View, takeForm: boolean): void {
    this.#view = view;
    if (takeForm || !this.#form) this.#fill(view.form);
    this.#showChoices(view, this.#form ?? view.form);
  }

  #fill(form: Form): void {
    this.#form = form;
    this.#filling = true; // the toolkit's boxes say that they changed also when it was not the person
    const { seed, count, steps, locked, beside, size, decoder, asGrid } = form;
    this.#words.fill(form);
    this.#seed.value = String(seed);
    this.#count.value = String(count);
    this.#steps.value = steps === null ? '' : String(steps);
    this.#size.value = size === null ? '' : sizeText(size);
    this.#decoder.value = decoder;
    this.#locked.checked = locked;
    this.#beside.checked = beside;
    this.#grid.check(asGrid);
    this.#filling = false;
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
    this.#beside.hidden = form.asGrid;
    this.#other.visible(form.beside && !form.asGrid);
    const classes = info?.classes ?? [];
    this.#class.show(classOptions(classes, text), String(form.class));
    this.#class.visible(classes.length > 0);
    this.#words.show(view, info);
    this.#count.hidden = form.asGrid;
    this.#showSampling(form, models, info);
    this.#device.show(deviceOptions(view, form.device, text), form.device);
    this.#grid.show(form, view);
    const gone = state === 'ready' && !info ? text('gone', form.model) : (info?.problem ?? '');
    this.#problem.textContent = gone;
    this.#problem.hidden = gone === '';
    const usable = state === 'ready' && gone === '';
    this.#start.toggleAttribute('disabled', !usable);
  }

  #showSampling(form: Form, models: readonly ModelInfo[], info: ModelInfo | undefined): void {
    const text = this.#text;
    const several = severalStepsOf(form, models);
    this.#steps.hidden = several === null && !form.beside;
    this.#steps.setAttribute('placeholder', text('stepsDefault', several?.steps ?? ''));
    const samplers = several?.samplers ?? [];
    this.#sampler.show(samplerOptions(samplers, form.sampler, text), form.sampler ?? '');
    this.#sampler.visible(samplers.length > 1);
    const [, height = 0, width = 0] = info?.imageShape ?? [];
    this.#size.hidden = (info?.sizeStep ?? null) === null;
    this.#size.setAttribute('placeholder', text('stepsDefault', sizeText([height, width])));
    this.#size.title = text('sizeHint', info?.sizeStep ?? 1);
    this.#decoder.element.hidden = !info?.prompt;
  }

  #read(): void {
    const { form: before } = this;
    if (!before || !this.#view || this.#filling) return;
    const model = this.#model.value || before.model;
    const another = model !== before.model;
    const seed = parseSeed(this.#seed.value) ?? before.seed;
    // Who types a seed means it.
    if (seed !== before.seed) this.#check(true);
    const locked = this.#locked.checked;
    const ownSeed = seed !== before.seed || locked !== before.locked;
    const form = keepingSeed(before, {
      model,
      class: this.#readClass(before, model),
      ...this.#words.values,
      ...{ seed, locked, restored: before.restored && !ownSeed },
      count: whole(this.#count.value, 1, mostImages) ?? before.count,
      // Another model has its own number of steps, its own sampler, its own size and latents of its own.
      steps: another ? null : whole(this.#steps.value, 1, mostSteps),
      sampler: another ? null : this.#sampler.value || null,
      size: another ? null : parseSize(this.#size.value),
      decoder: another ? '' : this.#decoder.value,
      device: this.#device.value || before.device,
      beside: this.#beside.checked,
      other: another ? '' : this.#other.value,
      ...this.#grid.values,
    });
    this.#form = form;
    if (another) for (const own of [this.#steps, this.#size, this.#decoder]) own.value = '';
    if (form.locked !== locked) this.#check(form.locked);
    this.#markWrong();
    this.#showChoices(this.#view, form);
    this.#actions.changed(form);
  }

  #readClass(before: Form, model: string): Form['class'] {
    const id = this.#class.value;
    const known = this.#view?.models.find((info) => info.model === model)?.classes.length ?? 0;
    const chosen = id === '' ? before.class : id === 'seed' || id === 'each' ? id : Number(id);
    return typeof chosen === 'number' && chosen >= known ? 'seed' : chosen;
  }

  #check(locked: boolean): void {
    this.#filling = true;
    this.#locked.checked = locked;
    this.#filling = false;
  }

  #markWrong(): void {
    const wrong = (node: Field, isRight: boolean, canBeEmpty: boolean) => {
      mark(node, !isRight && !(canBeEmpty && node.value.trim() === ''));
    };
    wrong(this.#seed, parseSeed(this.#seed.value) !== null, false);
    wrong(this.#count, whole(this.#count.value, 1, mostImages) !== null, false);
    wrong(this.#steps, whole(this.#steps.value, 1, mostSteps) !== null, true);
    wrong(this.#size, parseSize(this.#size.value) !== null, true);
    this.#words.markWrong();
  }

  /** Enter generates, except where it means something else. */
  #enter(event: KeyboardEvent): void {
    const typed = typedInto(event.target as HTMLElement);
    const isField = typed === 'line' || (typed === 'lines' && event.ctrlKey);
    if (event.key !== 'Enter' || !isField || this.#start.hasAttribute('disabled')) return;
    event.preventDefault();
    this.#actions.generate();
  }
}
