/** The grid of samples recorded at the cursor's step or last before it. */
import { inspectShown } from '../../../backend/protocol/panels/monitor.ts';
import { apply, element, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { fill } from '../../shared/initial.ts';
import { isWorking, type Monitor } from '../monitor.ts';
import { gridOf, SampleCells } from './sample-cells.ts';
import { SampleOrigin } from './sample-origin.ts';
import type { StepKey } from './step-cache.ts';
import type { PictureStore } from './store.ts';

export class SamplesView {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #caption = element('p', { class: 'caption muted' });
  readonly #image: HTMLImageElement;
  readonly #empty = element('p', { class: 'empty muted', hidden: true });
  readonly #cells = new SampleCells();
  readonly #origin: SampleOrigin;
  readonly #store: PictureStore;
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #shown = '';

  constructor(monitor: Monitor, store: PictureStore) {
    this.#monitor = monitor;
    this.#store = store;
    const { texts } = monitor;
    this.#image = element('img', {
      ...{ class: 'samples pixelated', hidden: true, title: texts.inspectSample },
      onclick: (event: MouseEvent) => {
        const box = this.#image.getBoundingClientRect();
        void this.#inspect((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      },
    });
    this.#origin = new SampleOrigin(texts, (sample) => void this.#inspectSample(sample));
    this.#cells.root.addEventListener('click', ({ target }) => {
      const cell = [...this.#cells.root.children].findIndex((one) => one.contains(target as Node));
      if (cell >= 0) void this.#inspectSample(cell);
    });
    this.root = element(
      'section',
      { class: 'samples-view', 'aria-label': texts.samples },
      element('header', {}, element('h2', {}, texts.samples), this.#caption),
      ...[this.#image, this.#cells.root, this.#origin.root, this.#empty],
    );
    store.onChange.on(() => this.#updateSoon());
    monitor.cursor.onMove.on(() => this.#updateSoon());
    monitor.onRuns.on(() => this.#updateSoon());
    monitor.onView.on(() => this.#updateSoon());
    this.#updateSoon();
  }

  /** What it shows is void. */
  forget(): void {
    this.#shown = '';
    this.#updateSoon();
  }

  update(): void {
    this.#updateSoon();
  }

  /** What the cursor asks for is on the screen, or cannot be. */
  get settled(): boolean {
    const key = this.#wanted();
    return !key || this.#shown === JSON.stringify(key) || this.#store.samples.failure(key) !== undefined;
  }

  #wanted(): StepKey | undefined {
    const { focus, cursor } = this.#monitor;
    return focus && this.#store.samplesKey(focus, cursor.step);
  }

  async #inspect(x: number, y: number): Promise<void> {
    const key = this.#wanted();
    const within = (at: number) => Math.min(1, Math.max(0, at));
    if (key) await this.#monitor.host.request(inspectShown, { ...key, at: { x: within(x), y: within(y) } });
  }

  /** In the middle of its place in the grid. */
  async #inspectSample(sample: number): Promise<void> {
    const { focus } = this.#monitor;
    const samples = focus ? (this.#store.captions(focus)?.count ?? 0) : 0;
    const { columns, rows } = gridOf(Math.max(1, samples));
    await this.#inspect(((sample % columns) + 0.5) / columns, (Math.floor(sample / columns) + 0.5) / rows);
  }

  #nothing(): string {
    const { texts, focus } = this.#monitor;
    if (!focus?.loaded) return texts.loading;
    if (focus.record?.kind === 'teach-text-encoder') return texts.noSamplesText;
    return isWorking(focus) ? texts.noSamples : texts.noSamplesOff;
  }

  #update(): void {
    if (this.root.hidden) return;
    const { texts, cursor } = this.#monitor;
    const key = this.#wanted();
    const failure = key && this.#store.samples.failure(key);
    this.#empty.hidden = key !== undefined && !failure;
    if (!key || failure) {
      this.#shown = '';
      this.#image.hidden = true;
      this.#cells.hide();
      this.#origin.show(undefined, 0, null);
      setText(this.#caption, '');
      setText(this.#empty, failure ?? this.#nothing());
      return;
    }
    const samples = this.#store.samples.get(key);
    apply(this.root, { 'aria-busy': String(!samples) });
    if (!samples) {
      this.#store.samples.want(key);
      return;
    }
    const text = fill(key.step <= cursor.step ? texts.samplesOfStep : texts.samplesFirst, count(key.step));
    setText(this.#caption, text);
    const captions = this.#store.captions(this.#monitor.focus!);
    this.#origin.show(captions, captions?.count ?? 0, key.step);
    // Prompts have their place under each; classes are said of the one that is chosen.
    const prompts = captions?.latent ? captions.samples : [];
    this.#cells.show(samples.url, prompts);
    this.#image.hidden = prompts.length > 0;
    if (this.#shown === JSON.stringify(key)) return;
    this.#shown = JSON.stringify(key);
    apply(this.#image, { src: samples.url, alt: text, 'data-step': key.step });
  }
}
