/** The score fields at the cursor's step or last recorded before it: what is shown of them, and their scales. */
import { inspectShown, savePng } from '../../../backend/protocol/panels/monitor.ts';
import type { FieldKindName } from '../../../backend/protocol/rpc/runs.ts';
import { apply, element, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { ColourBar } from '../../shared/heatmaps/colour-bar.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import type { Monitor } from '../monitor.ts';
import { type Decoded, withPictures } from './decoded.ts';
import { FieldGrid } from './field-grid.ts';
import { FieldLook } from './field-look.ts';
import { type FieldSet, type SignedField, signedFields } from './fields.ts';
import { ImageChoice } from './image-choice.ts';
import { columnTitle, kindTitle, rowTitle } from './names.ts';
import { PointTable } from './point-table.ts';
import type { StepKey } from './step-cache.ts';
import type { PictureStore } from './store.ts';
import { tablePicture } from './table-picture.ts';

/** Images of a batch beside each other. */
const batchColumns = 5;

export class FieldsView {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #store: PictureStore;
  readonly #caption = element('p', { class: 'caption muted' });
  readonly #empty = element('p', { class: 'empty muted', hidden: true });
  readonly #look: FieldLook;
  readonly #images: ImageChoice;
  readonly #body: HTMLElement;
  readonly #grid: FieldGrid;
  readonly #points: PointTable;
  readonly #bars: Record<SignedField, ColourBar>;
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #shown = '';

  constructor(monitor: Monitor, store: PictureStore) {
    this.#monitor = monitor;
    this.#store = store;
    const { texts } = monitor;
    this.#bars = { difference: this.#bar('difference'), grad: this.#bar('grad') };
    this.#grid = new FieldGrid(texts, monitor.scoreTexts, {
      difference: this.#bars.difference.root,
      grad: this.#bars.grad.root,
    });
    this.#points = new PointTable(texts, monitor.scoreTexts);
    this.#look = new FieldLook(
      texts,
      (change) => this.#change(change),
      () => this.#grid.group.viewport.reset(),
    );
    this.#images = new ImageChoice(texts, (image) => this.#change({ image }));
    const save = element(
      'button',
      { class: 'plain', title: texts.savePng, 'aria-label': texts.savePng, onclick: () => void this.#save() },
      icon(icons.save),
    );
    const parts = [this.#look.root, this.#images.root, this.#points.root, this.#grid.root];
    this.#body = element('div', { class: 'fields-body' }, ...parts);
    this.root = element(
      'section',
      { class: 'fields-view', 'aria-label': texts.fields },
      element('header', {}, element('h2', {}, texts.fields), this.#caption, save),
      ...[this.#empty, this.#body],
    );
    // What came may be a range: the same fields, with other ends of the scales.
    store.onChange.on(() => this.redraw());
    monitor.cursor.onMove.on(() => this.#updateSoon());
    monitor.onRuns.on(() => this.#updateSoon());
    monitor.onView.on(() => this.redraw());
    this.#updateSoon();
  }

  update(): void {
    this.#updateSoon();
  }

  /** The same fields, seen otherwise. */
  redraw(): void {
    this.#shown = '';
    this.#updateSoon();
  }

  /** What the cursor asks for is on the screen, or cannot be. */
  get settled(): boolean {
    const key = this.#wanted();
    return !key || this.#shown === JSON.stringify(key) || this.#store.fields.failure(key) !== undefined;
  }

  #wanted(): StepKey | undefined {
    const { focus, cursor } = this.#monitor;
    return focus && this.#store.fieldsKey(focus, cursor.step);
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
      meaning: { difference: texts.differenceColours, grad: texts.gradColours }[field],
      choose: (end) => this.#change({ scales: { ...this.#monitor.state.fields.scales, [field]: end } }),
    });
  }

  #update(): void {
    if (this.root.hidden) return;
    const { texts, focus, cursor } = this.#monitor;
    const key = this.#wanted();
    const failure = key && this.#store.fields.failure(key);
    const fields = key && this.#store.fields.get(key);
    if (focus) this.#look.showKinds(this.#store.kinds(focus), this.#store.kindOf(focus));
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
      this.#store.fields.want(key);
      return;
    }
    const recorded = focus!.recorded(fields.kind).includes(key.step);
    const text = key.step > cursor.step ? texts.fieldsFirst : recorded ? texts.fieldsOfStep : texts.fieldsLive;
    setText(this.#caption, fill(text, kindTitle(texts, key.what as FieldKindName), count(key.step)));
    const shown = JSON.stringify(key);
    if (this.#shown === shown) return;
    this.#shown = shown;
    this.#show(focus!, fields);
  }

  #nothing(focus: RunData | undefined): string {
    const { texts } = this.#monitor;
    if (focus && !focus.loaded) return texts.loading;
    return focus?.record?.kind?.startsWith('teach') ? texts.noFieldsTeach : texts.noFields;
  }

  #show(run: RunData, fields: FieldSet): void {
    const { texts, state } = this.#monitor;
    const { perLevel, scales } = state.fields;
    const channel = Math.min(state.fields.channel, fields.channels - 1);
    const image = Math.min(state.fields.image, Math.max(0, fields.images - 1));
    const first = fields.perLevel ? image : image - (image % batchColumns);
    const ownScales = perLevel && fields.perLevel;
    const end = (name: SignedField, level?: number) => scales[name] ?? this.#store.end(run, fields, name, level);
    run.noteLevels(fields.levels);
    const { points } = fields;
    for (const part of [this.#look.root, this.#images.root, this.#grid.root]) part.hidden = points;
    this.#points.show(points ? fields : null);
    if (points) {
      apply(this.#grid.root, { 'data-step': fields.step });
      return;
    }
    this.#look.show(state.fields, fields);
    const captions = this.#store.captions(run);
    const decoded = captions?.latent ? this.#decoded(run, fields, first) : undefined;
    const caption = (of: number) => (fields.perLevel ? (captions?.probe[of] ?? '') : '');
    this.#images.show({ fields, chosen: image, channel, caption, decoded: decoded?.x ?? [] });
    for (const name of signedFields) {
      const free = ownScales && scales[name] === null;
      this.#bars[name].show(free ? null : end(name), scales[name] !== null, fields.quantile(name));
    }
    this.#grid.show({
      step: fields.step,
      columns: withPictures(fields.columns(first, batchColumns), decoded),
      columnTitle: (column) => columnTitle(texts, column, fields.perLevel),
      x: (column) => fields.x(column.image),
      channel,
      end: (name, column) => end(name, ownScales ? column : undefined),
      inspect: fields.perLevel
        ? ({ image: of, sigma }) => {
            const at = { image: of, sigma };
            void this.#monitor.host.request(inspectShown, { folder: run.folder, step: fields.step, at });
          }
        : null,
    });
  }

  /** Asks for the pictures of latents; those of another step are not shown for them. */
  #decoded(run: RunData, fields: FieldSet, image: number): Decoded | undefined {
    const key = this.#store.decodedKey(run, fields, image);
    const decoded = this.#store.decoded.get(key);
    if (!decoded) this.#store.decoded.want(key);
    return decoded;
  }

  async #save(): Promise<void> {
    const { host, focus } = this.#monitor;
    if (this.#body.hidden || !focus) return;
    const title = `${focus.name} · ${this.#caption.textContent ?? ''}`;
    const png = await tablePicture({ title, ...this.#grid.table() });
    const step = this.#grid.root.dataset.step ?? '';
    await host.request(savePng, { name: `fields-step-${step}.png`, png });
  }
}
