/** A, B and A - B beside each other: two steps of a run, or two runs; samples, or a field at every level. */
import { savePng } from '../../../backend/protocol/panels/monitor.ts';
import { apply, element, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import type { Picture } from '../../shared/heatmaps/picture.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import { firstLook } from '../../shared/scores/look.ts';
import type { ScoreSet } from '../../shared/scores/score-set.ts';
import { ScoreSetView } from '../../shared/scores/score-set-view.ts';
import { setsPicture } from '../../shared/scores/sets-picture.ts';
import type { RunData } from '../data/run-data.ts';
import type { Monitor } from '../monitor.ts';
import { fieldPairs, pairSet, sameSize } from './compare.ts';
import { field } from './field-look.ts';
import type { FieldSet } from './fields.ts';
import { rowTitle } from './names.ts';
import { pictureOf } from './sample-picture.ts';
import { options, runOf, type Side, SideChoice, stepOf } from './sides.ts';
import { StepCache, type StepKey } from './step-cache.ts';
import type { PictureStore } from './store.ts';

const pictureBytes = 128e6;
const shownFields = ['x', 'xt', 'muReal', 'muFake', 'difference', 'grad'] as const;
const names = ['a', 'b'] as const;

interface ShownSide {
  readonly run: RunData;
  readonly key: StepKey;
}

export class CompareView {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #store: PictureStore;
  readonly #pictures: StepCache<Picture>;
  readonly #choices: Record<'a' | 'b', SideChoice>;
  readonly #what: HTMLSelectElement;
  readonly #image: HTMLSelectElement;
  readonly #imageField: HTMLElement;
  readonly #twoRuns: HTMLButtonElement;
  readonly #caption = element('p', { class: 'caption muted' });
  readonly #note = element('p', { class: 'empty muted', role: 'status', hidden: true });
  readonly #view: ScoreSetView;
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #sets: readonly ScoreSet[] = [];

  constructor(monitor: Monitor, store: PictureStore) {
    this.#monitor = monitor;
    this.#store = store;
    const { texts } = monitor;
    this.#pictures = new StepCache<Picture>({
      limitBytes: pictureBytes,
      bytes: ({ data }) => data.byteLength,
      load: async (key) => pictureOf(store.samples.get(key)!.blob),
    });
    const side = (name: 'a' | 'b') => new SideChoice(monitor, name, (chosen) => this.#change({ [name]: chosen }));
    this.#choices = { a: side('a'), b: side('b') };
    this.#what = element('select', {
      onchange: () => this.#change({ what: this.#what.value as Monitor['state']['pictures']['what'] }),
    });
    options(this.#what, [
      ['samples', texts.samples],
      ...shownFields.map((name): [string, string] => [name, rowTitle(texts, name)]),
    ]);
    this.#image = element('select', { onchange: () => this.#chooseImage(Number(this.#image.value)) });
    this.#imageField = field(texts.imageChoice, this.#image);
    const swap = element(
      'button',
      { class: 'plain text', onclick: () => this.#change({ a: this.#side('b'), b: this.#side('a') }) },
      texts.swapSides,
    );
    this.#twoRuns = element(
      'button',
      { class: 'plain text', title: texts.twoRunsHint, onclick: () => this.#compareRuns() },
      texts.twoRuns,
    );
    const save = element(
      'button',
      { class: 'plain', title: texts.savePng, 'aria-label': texts.savePng, onclick: () => void this.#save() },
      icon(icons.save),
    );
    this.#view = new ScoreSetView({ texts: monitor.scoreTexts, look: { ...firstLook, scale: 'row' } });
    this.root = element(
      'section',
      { class: 'compare-view', 'aria-label': texts.modeCompare },
      element('header', {}, element('h2', {}, texts.modeCompare), this.#caption, save),
      element('div', { class: 'bar' }, this.#choices.a.root, this.#choices.b.root, swap, this.#twoRuns),
      element('div', { class: 'bar' }, field(texts.kind, this.#what), this.#imageField),
      ...[this.#note, this.#view.root],
    );
    for (const topic of [store.onChange, this.#pictures.onChange, monitor.cursor.onMove, monitor.onRuns]) {
      topic.on(() => this.#updateSoon());
    }
    monitor.onView.on(() => this.#updateSoon());
  }

  update(): void {
    this.#updateSoon();
  }

  /** In the colours of another theme. */
  redraw(): void {
    this.#view.redraw();
  }

  forget(folder: string): void {
    this.#pictures.forget(folder);
  }

  get settled(): boolean {
    return this.root.getAttribute('aria-busy') !== 'true';
  }

  #side(name: 'a' | 'b'): Side {
    return this.#monitor.state.pictures[name];
  }

  #change(change: Partial<Monitor['state']['pictures']>): void {
    this.#monitor.change({ pictures: { ...this.#monitor.state.pictures, ...change } });
  }

  #chooseImage(image: number): void {
    this.#monitor.change({ fields: { ...this.#monitor.state.fields, image } });
  }

  /** The run in focus beside another, both at the cursor. */
  #compareRuns(): void {
    const { focus, runs } = this.#monitor;
    const other = runs.find((run) => run !== focus);
    if (!focus || !other) return;
    this.#change({ a: { folder: focus.folder, step: 'cursor' }, b: { folder: other.folder, step: 'cursor' } });
  }

  #shown(name: 'a' | 'b'): ShownSide | undefined {
    const side = this.#side(name);
    const run = runOf(this.#monitor, side);
    const steps = run ? this.#steps(run) : [];
    const step = stepOf(side, steps, this.#monitor.cursor.step);
    if (!run || step === undefined) return undefined;
    const key = this.#ofSamples ? this.#store.samplesKey(run, step) : this.#store.fieldsKey(run, step);
    return key && { run, key };
  }

  get #ofSamples(): boolean {
    return this.#monitor.state.pictures.what === 'samples';
  }

  #steps(run: RunData): readonly number[] {
    return this.#ofSamples ? run.recorded('samples') : this.#store.steps(run, this.#store.kindOf(run));
  }

  #update(): void {
    if (this.root.hidden) return;
    const { texts, state, runs } = this.#monitor;
    for (const name of names) {
      const run = runOf(this.#monitor, this.#side(name));
      this.#choices[name].show(run ? this.#steps(run) : []);
    }
    this.#what.value = state.pictures.what;
    this.#imageField.hidden = this.#ofSamples;
    this.#twoRuns.hidden = runs.length < 2;
    const shown = names.map((name) => this.#shown(name));
    const there = shown.map((side) => side && this.#get(side.key));
    const missing = shown.find((side, i) => side && !there[i]);
    const failure = missing && this.#failure(missing.key);
    apply(this.root, { 'aria-busy': String(missing !== undefined && failure === undefined) });
    if (missing && !failure) {
      this.#want(missing.key);
      return;
    }
    this.#showSets(there);
    setText(this.#caption, shown.map((side, i) => this.#title(side, i)).join(' · '));
    this.#say(failure ?? (shown.some(Boolean) ? this.#mismatch() : texts.nothingToCompare));
  }

  #get(key: StepKey): Picture | FieldSet | undefined {
    return this.#ofSamples ? this.#pictures.get(key) : this.#store.fields.get(key);
  }

  #failure(key: StepKey): string | undefined {
    const { samples, fields } = this.#store;
    return this.#ofSamples ? (samples.failure(key) ?? this.#pictures.failure(key)) : fields.failure(key);
  }

  #want(key: StepKey): void {
    if (!this.#ofSamples) this.#store.fields.want(key);
    else if (this.#store.samples.get(key)) this.#pictures.want(key);
    else this.#store.samples.want(key);
  }

  #showSets(there: readonly (Picture | FieldSet | undefined)[]): void {
    const { texts, state } = this.#monitor;
    const { what } = state.pictures;
    if (what === 'samples') {
      const [a = null, b = null] = there as (Picture | undefined)[];
      this.#sets = [pairSet(texts, { title: '', a, b, kind: 'image', facts: [] })];
    } else {
      const [a, b] = there as (FieldSet | undefined)[];
      const images = Math.max(a?.images ?? 0, b?.images ?? 0);
      const image = Math.min(state.fields.image, Math.max(0, images - 1));
      options(
        this.#image,
        Array.from({ length: images }, (_, i) => [String(i), fill(texts.image, i + 1)]),
      );
      this.#image.value = String(image);
      this.#sets = fieldPairs(texts, what, [a, b], image).map((pair) => pairSet(texts, pair));
    }
    this.#view.show(this.#sets);
  }

  #title(side: ShownSide | undefined, i: number): string {
    const { texts, runs } = this.#monitor;
    const letter = 'AB'[i]!;
    if (!side) return `${letter}: –`;
    const step = fill(texts.atStep, count(side.key.step));
    return `${letter}: ${runs.length > 1 ? `${side.run.name}, ` : ''}${step}`;
  }

  #mismatch(): string {
    const pictures = this.#sets.map(({ fields }) => ['a', 'b'].map((id) => fields.find((of) => of.id === id)?.picture));
    const differ = pictures.some(([a, b]) => a && b && !sameSize(a, b));
    return differ ? this.#monitor.texts.sizesDiffer : '';
  }

  #say(text: string): void {
    setText(this.#note, text);
    this.#note.hidden = text === '';
  }

  async #save(): Promise<void> {
    if (this.#sets.length === 0) return;
    const { texts, state, host } = this.#monitor;
    const { what } = state.pictures;
    const title = `${what === 'samples' ? texts.samples : rowTitle(texts, what)} · ${this.#caption.textContent ?? ''}`;
    const png = await setsPicture(this.#view, this.#sets, title);
    await host.request(savePng, { name: `compare-${what}.png`, png });
  }
}
