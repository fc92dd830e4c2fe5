/** The score fields at the cursor's step or last recorded before it: what is shown of them, and their scales. */
import { inspectShown, readFields, savePng } from '../../../backend/protocol/panels/monitor.ts';
import type { FieldKindName, Fields } from '../../../backend/protocol/rpc/runs.ts';
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { ColourBar } from '../../shared/heatmaps/colour-bar.ts';
import { paintImage } from '../../shared/heatmaps/paint.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import { atOrBefore, merged } from '../data/steps.ts';
import type { Monitor } from '../monitor.ts';
import { FieldGrid, rowTitle } from './field-grid.ts';
import { gridPicture } from './field-picture.ts';
import { type FieldSet, readFieldSet, type SignedField } from './fields.ts';
import { Scales } from './scale.ts';
import { StepCache, type StepKey } from './step-cache.ts';

const limitBytes = 96e6;
/** Images of a batch beside each other. */
const batchColumns = 5;

export class FieldsView {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #cache: StepCache<FieldSet>;
  readonly #scales = new Scales();
  readonly #caption = element('p', { class: 'caption muted' });
  readonly #empty = element('p', { class: 'empty muted', hidden: true });
  readonly #kind: HTMLSelectElement;
  readonly #channel: HTMLSelectElement;
  readonly #perLevel: HTMLInputElement;
  readonly #perLevelField: HTMLElement;
  readonly #images = element('div', { class: 'images', role: 'group' });
  readonly #body: HTMLElement;
  readonly #grid: FieldGrid;
  readonly #bars: Record<SignedField, ColourBar>;
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #shown = '';
  #imagesKey = '';

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
    const { texts } = monitor;
    this.#cache = new StepCache<FieldSet>({
      limitBytes,
      bytes: ({ bytes }) => bytes,
      load: async ({ folder, what, step }, signal) => {
        const kind = what as FieldKindName;
        return this.#take(folder, await monitor.host.request(readFields, { folder, kind, step }, signal));
      },
    });
    this.#grid = new FieldGrid(texts);
    this.#bars = {
      difference: this.#bar('difference'),
      grad: this.#bar('grad'),
    };
    this.#kind = element('select', {
      onchange: () => this.#change({ kind: this.#kind.value as FieldKindName, image: 0 }),
    });
    this.#channel = element('select', { onchange: () => this.#change({ channel: Number(this.#channel.value) }) });
    this.#perLevel = element('input', {
      type: 'checkbox',
      onchange: () => this.#change({ perLevel: this.#perLevel.checked }),
    });
    this.#perLevelField = element(
      'label',
      { class: 'field', title: texts.perLevelHint },
      this.#perLevel,
      element('span', {}, texts.perLevel),
    );
    apply(this.#images, { 'aria-label': texts.images });
    const save = element(
      'button',
      { class: 'plain', title: texts.savePng, 'aria-label': texts.savePng, onclick: () => void this.#save() },
      icon(icons.save),
    );
    this.#body = element(
      'div',
      { class: 'fields-body' },
      element(
        'div',
        { class: 'bar' },
        field(texts.kind, this.#kind),
        field(texts.channel, this.#channel),
        this.#perLevelField,
      ),
      this.#images,
      this.#grid.root,
      element('div', { class: 'bars' }, this.#bars.difference.root, this.#bars.grad.root),
    );
    this.root = element(
      'section',
      { class: 'fields-view', 'aria-label': texts.fields },
      element('header', {}, element('h2', {}, texts.fields), this.#caption, save),
      this.#empty,
      this.#body,
    );
    this.#cache.onChange.on(() => this.#updateSoon());
    monitor.cursor.onMove.on(() => this.#updateSoon());
    monitor.onRuns.on(() => this.#updateSoon());
    monitor.onView.on(() => this.redraw());
    this.#updateSoon();
  }

  forget(folder: string): void {
    this.#cache.forget(folder);
    this.redraw();
  }

  update(): void {
    this.#updateSoon();
  }

  /** The same fields, seen otherwise. */
  redraw(): void {
    this.#shown = '';
    this.#imagesKey = '';
    this.#updateSoon();
  }

  /** The probe of a step that was just done. */
  live(folder: string, fields: Fields): void {
    this.#cache.put({ folder, what: fields.kind, step: fields.step }, this.#take(folder, fields));
  }

  /** What the cursor asks for is on the screen, or cannot be. */
  get settled(): boolean {
    const key = this.#wanted();
    return !key || this.#shown === JSON.stringify(key) || this.#cache.failure(key) !== undefined;
  }

  /** Steps that can be shown: recorded, or seen live. */
  #steps(run: RunData): readonly number[] {
    const kind = this.#kindOf(run);
    return merged(run.recorded(kind), this.#cache.steps(run.folder, kind));
  }

  /** The kind that was chosen, or one that there is. */
  #kindOf(run: RunData): FieldKindName {
    const { kind } = this.#monitor.state.fields;
    const there = kinds.filter((other) => run.recorded(other).length > 0);
    return there.length === 0 || there.includes(kind) ? kind : there[0]!;
  }

  #wanted(): StepKey | undefined {
    const { focus, cursor } = this.#monitor;
    const step = focus && atOrBefore(this.#steps(focus), cursor.step);
    return focus && step !== undefined ? { folder: focus.folder, what: this.#kindOf(focus), step } : undefined;
  }

  #take(folder: string, fields: Fields): FieldSet {
    const set = readFieldSet(fields);
    this.#scales.see(`${folder} ${fields.kind}`, set);
    return set;
  }

  #change(change: Partial<Monitor['state']['fields']>): void {
    this.#monitor.change({ fields: { ...this.#monitor.state.fields, ...change } });
  }

  #bar(field: SignedField): ColourBar {
    const { texts } = this.#monitor;
    return new ColourBar({
      texts,
      title: rowTitle(texts, field),
      field,
      choose: (end) => this.#change({ scales: { ...this.#monitor.state.fields.scales, [field]: end } }),
    });
  }

  #update(): void {
    const { texts, focus, cursor } = this.#monitor;
    const key = this.#wanted();
    const failure = key && this.#cache.failure(key);
    const fields = key && this.#cache.get(key);
    if (focus) this.#showKinds(focus);
    this.#empty.hidden = key !== undefined && !failure;
    this.#body.hidden = !this.#empty.hidden;
    if (!key || failure) {
      this.#shown = '';
      setText(this.#caption, '');
      setText(this.#empty, failure ?? this.#nothing(focus));
      return;
    }
    apply(this.root, { 'aria-busy': String(!fields) });
    if (!fields) {
      this.#cache.want(key);
      return;
    }
    const recorded = focus!.recorded(this.#kindOf(focus!)).includes(key.step);
    const text = key.step > cursor.step ? texts.fieldsFirst : recorded ? texts.fieldsOfStep : texts.fieldsLive;
    setText(this.#caption, fill(text, this.#kindTitle(key.what as FieldKindName), count(key.step)));
    const shown = JSON.stringify(key);
    if (this.#shown === shown) return;
    this.#shown = shown;
    this.#show(key, fields);
  }

  #nothing(focus: RunData | undefined): string {
    const { texts } = this.#monitor;
    if (focus && !focus.loaded) return texts.loading;
    return focus?.record?.kind?.startsWith('teach') ? texts.noFieldsTeach : texts.noFields;
  }

  #show({ folder, what }: StepKey, fields: FieldSet): void {
    const { texts, state } = this.#monitor;
    const { channel, perLevel, scales } = state.fields;
    const group = `${folder} ${what}`;
    const image = Math.min(state.fields.image, Math.max(0, fields.images - 1));
    const first = fields.perLevel ? image : image - (image % batchColumns);
    const ownScales = perLevel && fields.perLevel;
    const end = (name: SignedField, column: number) =>
      scales[name] ?? this.#scales.end(group, name, ownScales ? column : undefined);
    this.#showChannels(fields.channels);
    this.#perLevel.checked = perLevel;
    this.#perLevelField.hidden = !fields.perLevel;
    this.#showImages(fields, image);
    for (const name of ['difference', 'grad'] as const) {
      this.#bars[name].root.hidden = !fields.values(name);
      this.#bars[name].show(ownScales && scales[name] === null ? null : end(name, 0), scales[name] !== null);
    }
    this.#grid.show({
      step: fields.step,
      columns: fields.columns(first, batchColumns),
      columnTitle: (column) => (fields.perLevel ? '' : fill(texts.image, column.image + 1)),
      x: (column) => fields.x(column.image),
      channel: Math.min(channel, fields.channels - 1),
      end,
      inspect: fields.perLevel
        ? ({ image: of, sigma }) => {
            const at = { image: of, sigma };
            void this.#monitor.host.request(inspectShown, { folder, step: fields.step, at });
          }
        : null,
    });
  }

  /** The generator's images x, to choose one. */
  #showImages(fields: FieldSet, chosen: number): void {
    const { texts, state } = this.#monitor;
    const key = `${fields.images} ${fields.classes.join()} ${fields.channels}`;
    if (key !== this.#imagesKey) {
      this.#imagesKey = key;
      const buttons = Array.from({ length: fields.images }, (_, image) => {
        const name = fill(texts.image, image + 1);
        const kind = fields.classes[image];
        const title = typeof kind === 'number' ? `${name} · ${fill(texts.imageClass, kind)}` : name;
        return element(
          'button',
          { class: 'plain thumb', title, 'aria-label': `x, ${title}`, onclick: () => this.#change({ image }) },
          element('canvas', { class: 'pixelated', 'aria-hidden': 'true' }),
        );
      });
      fillWith(this.#images, element('span', { class: 'row-title', title: texts.rowX }, 'x'), ...buttons);
    }
    [...this.#images.querySelectorAll('button')].forEach((button, image) => {
      const picture = fields.x(image);
      const canvas = button.querySelector('canvas')!;
      if (picture) paintImage(canvas, picture, Math.min(state.fields.channel, fields.channels - 1));
      apply(button, { 'aria-pressed': String(image === chosen) });
    });
  }

  #showKinds(run: RunData): void {
    const there = kinds.filter(
      (kind) => run.recorded(kind).length > 0 || this.#cache.steps(run.folder, kind).length > 0,
    );
    const key = there.join();
    if (this.#kind.dataset.kinds !== key) {
      this.#kind.dataset.kinds = key;
      fillWith(this.#kind, ...there.map((kind) => element('option', { value: kind }, this.#kindTitle(kind))));
    }
    this.#kind.value = this.#kindOf(run);
  }

  #showChannels(channels: number): void {
    const { texts, state } = this.#monitor;
    const names =
      channels === 3
        ? [texts.channelRed, texts.channelGreen, texts.channelBlue]
        : Array.from({ length: channels }, (_, i) => fill(texts.channelNumber, i + 1));
    if (this.#channel.childElementCount !== channels + 1) {
      const options = [texts.channelMean, ...names].map((name, i) => element('option', { value: i - 1 }, name));
      fillWith(this.#channel, ...options);
    }
    this.#channel.value = String(Math.min(state.fields.channel, channels - 1));
  }

  #kindTitle(kind: FieldKindName): string {
    const { texts } = this.#monitor;
    return { probe: texts.kindProbe, training: texts.kindTraining, stop: texts.kindStop }[kind];
  }

  async #save(): Promise<void> {
    const { host, focus } = this.#monitor;
    if (this.#body.hidden || !focus) return;
    const png = await gridPicture(
      this.#monitor.texts,
      this.#grid,
      `${focus.name} · ${this.#caption.textContent ?? ''}`,
    );
    const step = this.#grid.root.dataset.step ?? '';
    await host.request(savePng, { name: `fields-step-${step}.png`, png });
  }
}

const kinds = ['probe', 'training', 'stop'] as const;

function field(title: string, control: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, element('span', { class: 'muted' }, title), control);
}
