/**
 * Where there is no room for curves and pictures beside each other: the samples and the chosen image's differences, small, pinned
 * under the cursor's bar, so that both are seen while the cursor moves. Clicked, the page goes to the pictures themselves.
 */
import { apply, element, fillWith, setText } from '../../shared/dom.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { paintImage, paintSigned } from '../../shared/heatmaps/paint.ts';
import { fill } from '../../shared/initial.ts';
import type { Monitor } from '../monitor.ts';
import { roomForBoth } from '../split.ts';
import type { FieldSet } from './fields.ts';
import { columnTitle, rowTitle } from './names.ts';
import type { PictureStore } from './store.ts';

export class PictureStrip {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #store: PictureStore;
  readonly #room = window.matchMedia(roomForBoth);
  readonly #samples = element('img', { class: 'pixelated', alt: '', hidden: true });
  readonly #fields = element('span', { class: 'strip-fields' });
  readonly #button: HTMLButtonElement;
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #tiles: { readonly canvas: HTMLCanvasElement; readonly title: HTMLElement }[] = [];

  constructor(monitor: Monitor, store: PictureStore, pictures: HTMLElement) {
    this.#monitor = monitor;
    this.#store = store;
    const { texts } = monitor;
    this.#button = element(
      'button',
      { class: 'strip', title: texts.stripHint, 'aria-label': texts.stripHint },
      ...[this.#samples, this.#fields],
    );
    this.#button.addEventListener('click', () => pictures.scrollIntoView({ block: 'start' }));
    this.root = element('div', { class: 'strip-bar', hidden: true }, this.#button);
    for (const topic of [store.onChange, monitor.cursor.onMove, monitor.onRuns, monitor.onView]) {
      topic.on(() => this.#updateSoon());
    }
    this.#room.addEventListener('change', () => this.#updateSoon());
  }

  update(): void {
    this.#updateSoon();
  }

  #update(): void {
    const { focus, cursor } = this.#monitor;
    const samplesKey = focus && this.#store.samplesKey(focus, cursor.step);
    const fieldsKey = focus && this.#store.fieldsKey(focus, cursor.step);
    this.root.hidden = this.#room.matches || (!samplesKey && !fieldsKey);
    if (this.root.hidden) return;
    const samples = samplesKey && this.#store.samples.get(samplesKey);
    const fields = fieldsKey && this.#store.fields.get(fieldsKey);
    if (samplesKey && !samples) this.#store.samples.want(samplesKey);
    if (fieldsKey && !fields) this.#store.fields.want(fieldsKey);
    // Until what is asked for is there, what was there stays: nothing jumps.
    if (samples && this.#samples.src !== samples.url) apply(this.#samples, { src: samples.url });
    if (samples) apply(this.#samples, { 'data-step': samplesKey.step });
    this.#samples.hidden = !samplesKey;
    this.#fields.hidden = !fieldsKey;
    if (fields) this.#showFields(fields);
  }

  #showFields(fields: FieldSet): void {
    const { texts, state, focus } = this.#monitor;
    const image = Math.min(state.fields.image, Math.max(0, fields.images - 1));
    const channel = Math.min(state.fields.channel, fields.channels - 1);
    const columns = fields.columns(image, 1).filter((column) => column.picture('difference'));
    if (this.#tiles.length !== columns.length + 1) this.#build(columns.length + 1);
    const [first, ...others] = this.#tiles;
    const x = fields.x(image);
    if (x) paintImage(first!.canvas, x, channel);
    setText(first!.title, `x · ${fill(texts.image, image + 1)}`);
    const end = state.fields.scales.difference ?? (focus ? this.#store.end(focus, fields, 'difference') : 1);
    columns.forEach((column, i) => {
      paintSigned(others[i]!.canvas, column.picture('difference')!, channel, end);
      setText(others[i]!.title, columnTitle(texts, column, true));
    });
    apply(this.root, { 'data-step': fields.step });
    apply(this.#fields, { title: rowTitle(texts, 'difference') });
  }

  #build(count: number): void {
    this.#tiles = Array.from({ length: count }, () => ({
      canvas: element('canvas', { class: 'pixelated' }),
      title: element('span', { class: 'small muted' }),
    }));
    fillWith(
      this.#fields,
      ...this.#tiles.map(({ canvas, title }) => element('span', { class: 'tile' }, canvas, title)),
    );
  }
}
