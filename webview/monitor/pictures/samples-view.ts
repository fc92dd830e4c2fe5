/** The grid of samples recorded at the cursor's step or last before it. */
import { inspectShown, readSamples } from '../../../backend/protocol/panels/monitor.ts';
import { apply, element, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import { atOrBefore } from '../data/steps.ts';
import { isWorking, type Monitor } from '../monitor.ts';
import { StepCache, type StepKey } from './step-cache.ts';

interface Samples {
  readonly url: string;
  readonly bytes: number;
}

const limitBytes = 48e6;

export class SamplesView {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #caption = element('p', { class: 'caption muted' });
  readonly #image: HTMLImageElement;
  readonly #empty = element('p', { class: 'empty muted', hidden: true });
  readonly #cache: StepCache<Samples>;
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #shown = '';

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
    const { texts } = monitor;
    this.#image = element('img', {
      ...{ class: 'samples pixelated', hidden: true, title: texts.inspectSample },
      onclick: (event: MouseEvent) => {
        const box = this.#image.getBoundingClientRect();
        void this.#inspect((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      },
    });
    const inspect = element(
      'button',
      {
        ...{ class: 'plain', title: texts.inspectHere, 'aria-label': texts.inspectHere },
        onclick: () => void this.#inspect(0, 0),
      },
      icon(icons.inspect),
    );
    this.#cache = new StepCache<Samples>({
      limitBytes,
      bytes: ({ bytes }) => bytes,
      release: ({ url }) => URL.revokeObjectURL(url),
      load: async ({ folder, step }, signal) => {
        const { png } = await monitor.host.request(readSamples, { folder, step }, signal);
        const blob = new Blob([new Uint8Array(png)], { type: 'image/png' });
        return { url: URL.createObjectURL(blob), bytes: png.length };
      },
    });
    this.root = element(
      'section',
      { class: 'samples-view', 'aria-label': texts.samples },
      element('header', {}, element('h2', {}, texts.samples), this.#caption, inspect),
      this.#image,
      this.#empty,
    );
    this.#cache.onChange.on(() => this.#updateSoon());
    monitor.cursor.onMove.on(() => this.#updateSoon());
    monitor.onRuns.on(() => this.#updateSoon());
    monitor.onView.on(() => this.#updateSoon());
    this.#updateSoon();
  }

  forget(folder: string): void {
    this.#cache.forget(folder);
    this.#shown = '';
    this.#updateSoon();
  }

  update(): void {
    this.#updateSoon();
  }

  /** What the cursor asks for is on the screen, or cannot be. */
  get settled(): boolean {
    const key = this.#wanted();
    return !key || this.#shown === JSON.stringify(key) || this.#cache.failure(key) !== undefined;
  }

  #wanted(): StepKey | undefined {
    const { focus, cursor } = this.#monitor;
    const step = focus && atOrBefore(focus.recorded('samples'), cursor.step);
    return focus && step !== undefined ? { folder: focus.folder, what: 'samples', step } : undefined;
  }

  async #inspect(x: number, y: number): Promise<void> {
    const key = this.#wanted();
    const within = (at: number) => Math.min(1, Math.max(0, at));
    if (key) await this.#monitor.host.request(inspectShown, { ...key, at: { x: within(x), y: within(y) } });
  }

  #nothing(): string {
    const { texts, focus } = this.#monitor;
    if (!focus?.loaded) return texts.loading;
    if (focus.record?.kind === 'teach-text-encoder') return texts.noSamplesText;
    return isWorking(focus) ? texts.noSamples : texts.noSamplesOff;
  }

  #update(): void {
    const { texts, cursor } = this.#monitor;
    const key = this.#wanted();
    const failure = key && this.#cache.failure(key);
    this.#empty.hidden = key !== undefined && !failure;
    if (!key || failure) {
      this.#shown = '';
      this.#image.hidden = true;
      setText(this.#caption, '');
      setText(this.#empty, failure ?? this.#nothing());
      return;
    }
    const samples = this.#cache.get(key);
    apply(this.root, { 'aria-busy': String(!samples) });
    if (!samples) {
      this.#cache.want(key);
      return;
    }
    const text = fill(key.step <= cursor.step ? texts.samplesOfStep : texts.samplesFirst, count(key.step));
    setText(this.#caption, text);
    if (this.#shown === JSON.stringify(key)) return;
    this.#shown = JSON.stringify(key);
    apply(this.#image, { src: samples.url, alt: text, 'data-step': key.step });
    this.#image.hidden = false;
  }
}
