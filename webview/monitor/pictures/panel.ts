/** The pictures beside the curves: at the cursor, two of them compared, or steps by noise level. */
import type { Fields } from '../../../backend/protocol/rpc/runs.ts';
import { apply, element } from '../../shared/dom.ts';
import type { Monitor } from '../monitor.ts';
import { CompareView } from './compare-view.ts';
import { FieldsView } from './fields-view.ts';
import { SamplesView } from './samples-view.ts';
import { StepGrid } from './step-grid.ts';
import { PictureStore } from './store.ts';

export class PicturesPanel {
  readonly root: HTMLElement;
  readonly store: PictureStore;
  readonly #monitor: Monitor;
  readonly #samples: SamplesView;
  readonly #fields: FieldsView;
  readonly #compare: CompareView;
  readonly #grid: StepGrid;
  readonly #buttons: ReadonlyMap<string, HTMLButtonElement>;

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
    const { texts } = monitor;
    this.store = new PictureStore(monitor);
    this.#samples = new SamplesView(monitor, this.store);
    this.#fields = new FieldsView(monitor, this.store);
    this.#compare = new CompareView(monitor, this.store);
    this.#grid = new StepGrid(monitor, this.store);
    const modes = { cursor: texts.modeCursor, compare: texts.modeCompare, grid: texts.modeGrid } as const;
    this.#buttons = new Map(
      (Object.keys(modes) as (keyof typeof modes)[]).map((mode) => {
        const choose = () => monitor.change({ pictures: { ...monitor.state.pictures, mode } });
        return [mode, element('button', { class: 'plain text', 'data-mode': mode, onclick: choose }, modes[mode])];
      }),
    );
    this.root = element(
      'div',
      { class: 'pictures', role: 'region', 'aria-label': texts.pictures },
      element('div', { class: 'modes', role: 'group', 'aria-label': texts.picturesShow }, ...this.#buttons.values()),
      ...[this.#samples.root, this.#fields.root, this.#compare.root, this.#grid.root],
    );
    monitor.onView.on(() => this.#showMode());
    this.#showMode();
  }

  /** Of a run. */
  update(): void {
    for (const view of [this.#samples, this.#fields, this.#compare, this.#grid]) view.update();
  }

  /** In the colours of another theme. */
  redraw(): void {
    this.#fields.redraw();
    this.#compare.redraw();
    this.#grid.update();
  }

  /** A run went back: what is kept of later steps is void. */
  forget(folder: string): void {
    this.store.forget(folder);
    this.#compare.forget(folder);
    this.#samples.forget();
  }

  /** The probe of a step that was just done. */
  live(folder: string, fields: Fields): void {
    this.store.live(folder, fields);
  }

  /** What the cursor asks for is on the screen, or cannot be. */
  get settled(): boolean {
    const { mode } = this.#monitor.state.pictures;
    if (mode === 'compare') return this.#compare.settled;
    return mode === 'grid' ? this.#grid.settled : this.#samples.settled && this.#fields.settled;
  }

  #showMode(): void {
    const { mode } = this.#monitor.state.pictures;
    for (const [of, button] of this.#buttons) apply(button, { 'aria-pressed': String(of === mode) });
    this.#samples.root.hidden = mode !== 'cursor';
    this.#fields.root.hidden = mode !== 'cursor';
    this.#compare.root.hidden = mode !== 'compare';
    this.#grid.root.hidden = mode !== 'grid';
    this.update();
  }
}
