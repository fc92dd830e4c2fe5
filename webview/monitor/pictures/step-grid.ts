/** A field of one image as a grid: a row per recorded step, a column per noise level, one scale for all of it. */
import { savePng } from '../../../backend/protocol/panels/monitor.ts';
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { count, number } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { HeatmapGroup } from '../../shared/heatmaps/group.ts';
import { extent } from '../../shared/heatmaps/picture.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import type { Monitor } from '../monitor.ts';
import { Cell } from './cell.ts';
import { field } from './field-look.ts';
import { type FieldSet, isSigned, type RecordedField, recordedFields } from './fields.ts';
import { columnTitle, rowTitle } from './names.ts';
import { options } from './sides.ts';
import { spread } from './spread.ts';
import type { StepKey } from './step-cache.ts';
import type { PictureStore } from './store.ts';
import { tablePicture } from './table-picture.ts';

/** Rows at most: what does not fit is left out evenly, the first and the last stay. */
const mostRows = 12;

export class StepGrid {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #store: PictureStore;
  readonly #group = new HeatmapGroup();
  readonly #what: HTMLSelectElement;
  readonly #image: HTMLSelectElement;
  readonly #scale = element('span', { class: 'number muted' });
  readonly #caption = element('p', { class: 'caption muted' });
  readonly #empty = element('p', { class: 'empty muted', hidden: true });
  readonly #body = element('div', { class: 'step-grid', tabindex: 0, role: 'group' });
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #cells = new Map<string, Cell>();
  #layout = '';

  constructor(monitor: Monitor, store: PictureStore) {
    this.#monitor = monitor;
    this.#store = store;
    const { texts } = monitor;
    this.#what = element('select', { onchange: () => this.#chooseField(this.#what.value as RecordedField) });
    options(
      this.#what,
      recordedFields.map((name) => [name, rowTitle(texts, name)]),
    );
    this.#image = element('select', {
      onchange: () => monitor.change({ fields: { ...monitor.state.fields, image: Number(this.#image.value) } }),
    });
    const save = element(
      'button',
      { class: 'plain', title: texts.savePng, 'aria-label': texts.savePng, onclick: () => void this.#save() },
      icon(icons.save),
    );
    const whole = element(
      'button',
      { class: 'plain text', title: texts.zoomHint, onclick: () => this.#group.viewport.reset() },
      texts.wholePicture,
    );
    const spoken = element('p', { class: 'spoken', role: 'status' });
    this.#body.setAttribute('aria-label', `${texts.modeGrid}. ${texts.pixelHint}`);
    this.#group.listen(this.#body, spoken);
    this.#group.onPoint.on(() => {
      for (const cell of this.#cells.values()) cell.point();
    });
    this.root = element(
      'section',
      { class: 'step-grid-view', 'aria-label': texts.modeGrid },
      element('header', {}, element('h2', {}, texts.modeGrid), this.#caption, save),
      element(
        'div',
        { class: 'bar' },
        ...[field(texts.kind, this.#what), field(texts.imageChoice, this.#image), whole, this.#scale],
      ),
      ...[this.#empty, this.#body, spoken],
    );
    for (const topic of [store.onChange, monitor.onRuns, monitor.onView, monitor.cursor.onMove]) {
      topic.on(() => this.#updateSoon());
    }
  }

  update(): void {
    this.#updateSoon();
  }

  get settled(): boolean {
    return this.root.getAttribute('aria-busy') !== 'true';
  }

  get #name(): RecordedField {
    const { what } = this.#monitor.state.pictures;
    return what === 'samples' || what === 'x' ? 'difference' : what;
  }

  #chooseField(what: RecordedField): void {
    this.#monitor.change({ pictures: { ...this.#monitor.state.pictures, what } });
  }

  #update(): void {
    if (this.root.hidden) return;
    const { texts, focus } = this.#monitor;
    this.#what.value = this.#name;
    const run = focus && focus.recorded('probe').length > 0 ? focus : undefined;
    this.#empty.hidden = run !== undefined;
    this.#body.hidden = run === undefined;
    setText(this.#empty, focus?.loaded === false ? texts.loading : texts.noFields);
    setText(this.#caption, '');
    if (!run) {
      apply(this.root, { 'aria-busy': false });
      return;
    }
    const steps = spread(run.recorded('probe'), mostRows);
    const keys = steps.map((step): StepKey => ({ folder: run.folder, what: 'probe', step }));
    const missing = keys.find((key) => !this.#store.fields.get(key) && !this.#store.fields.failure(key));
    apply(this.root, { 'aria-busy': String(missing !== undefined) });
    if (missing) this.#store.fields.want(missing);
    const sets = keys.flatMap((key) => this.#store.fields.get(key) ?? []);
    const all = run.recorded('probe').length;
    if (steps.length < all) setText(this.#caption, fill(texts.stepsOfAll, count(steps.length), count(all)));
    if (sets.length > 0) this.#show(run, sets);
  }

  #show(run: RunData, sets: readonly FieldSet[]): void {
    const { texts, state, cursor } = this.#monitor;
    const name = this.#name;
    const [first] = sets;
    const image = Math.min(state.fields.image, Math.max(0, first!.images - 1));
    options(
      this.#image,
      Array.from({ length: first!.images }, (_, i) => [String(i), fill(texts.image, i + 1)]),
    );
    this.#image.value = String(image);
    const end = isSigned(name) ? (state.fields.scales[name] ?? this.#store.end(run, first!, name)) : null;
    setText(this.#scale, end === null ? '' : fill(texts.scaleOfAll, number(end, 3)));
    const columns = first!.columns(image, 1);
    this.#build(
      sets.map(({ step }) => step),
      columns.map((column) => columnTitle(texts, column, true)),
    );
    for (const set of sets) {
      set.columns(image, 1).forEach((column, i) => {
        const picture = column.picture(name);
        const words = [rowTitle(texts, name), fill(texts.atStep, count(set.step)), columnTitle(texts, column, true)];
        this.#cells.get(`${set.step} ${i}`)?.show(
          picture && {
            ...{ picture, channel: Math.min(state.fields.channel, set.channels - 1), end, name: words.join(', ') },
            summary: fill(texts.cellSummary, ...extent(picture).map((value) => number(value, 3))),
            nan: (odd) => fill(texts.nanPixels, odd),
          },
        );
      });
    }
    for (const head of this.#body.querySelectorAll<HTMLElement>('.row-head')) {
      apply(head, { 'aria-current': Number(head.dataset.step) === cursor.step ? 'step' : false });
    }
  }

  #build(steps: readonly number[], levels: readonly string[]): void {
    const layout = JSON.stringify([steps, levels]);
    if (layout === this.#layout) return;
    this.#layout = layout;
    for (const cell of this.#cells.values()) cell.dispose();
    this.#cells = new Map();
    const { texts, cursor } = this.#monitor;
    this.#body.style.setProperty('--columns', String(levels.length));
    const rows = steps.flatMap((step) => {
      const go = element(
        'button',
        { class: 'plain text row-head number', title: texts.goToStep, 'data-step': step },
        count(step),
      );
      go.addEventListener('click', () => cursor.goTo(step));
      const cells = levels.map((_, i) => {
        const cell = new Cell(this.#group, this.#name, i);
        this.#cells.set(`${step} ${i}`, cell);
        return cell.root;
      });
      return [go, ...cells];
    });
    fillWith(
      this.#body,
      element('span', { class: 'muted corner' }, texts.step),
      ...levels.map((title) => element('span', { class: 'head' }, title)),
      ...rows,
    );
  }

  async #save(): Promise<void> {
    const { texts, focus, host } = this.#monitor;
    if (!focus || this.#cells.size === 0) return;
    const [steps, levels] = JSON.parse(this.#layout) as [number[], string[]];
    const png = await tablePicture({
      title: [focus.name, rowTitle(texts, this.#name), this.#scale.textContent].filter(Boolean).join(' · '),
      heads: levels.map((level) => [level]),
      rows: steps.map((step) => ({
        title: fill(texts.atStep, count(step)),
        pictures: levels.map((_, i) => this.#cells.get(`${step} ${i}`)?.whole ?? null),
      })),
    });
    await host.request(savePng, { name: `${this.#name}-steps.png`, png });
  }
}
