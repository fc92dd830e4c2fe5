/** How the values of a tensor were spread, step by step: as many columns as steps were recorded, darker where more values are. */
import { drawHistograms } from '../../../backend/protocol/panels/monitor.ts';
import type { DrawnHistograms } from '../../../backend/protocol/rpc/runs.ts';
import { lineColour, themeColour } from '../../shared/colours.ts';
import { apply, element, setText } from '../../shared/dom.ts';
import { count, number } from '../../shared/format.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import { isWorking, type Monitor } from '../monitor.ts';
import type { Card, ChartRange } from './card.ts';

const height = 148;
/** As in the charts above: their time axes stand under each other. */
const [left, right, top] = [52, 8, 6];
/** Of a run that goes on. */
const refreshMilliseconds = 5000;

export class HistogramCard implements Card {
  readonly root: HTMLElement;
  readonly id: string;
  readonly title: string;
  readonly tags: readonly string[] = [];
  readonly #tag: string;
  readonly #monitor: Monitor;
  readonly #canvas = element('canvas', { role: 'img', tabindex: 0 }) as HTMLCanvasElement;
  readonly #line = element('div', { class: 'cursor-line', hidden: true });
  readonly #ends = element('div', { class: 'histogram-ends number muted small' });
  readonly #facts = element('p', { class: 'legend small' });
  #range: ChartRange = { from: 0, to: 1 };
  #run: RunData | undefined;
  #drawn: DrawnHistograms | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(monitor: Monitor, tag: string) {
    this.#monitor = monitor;
    this.#tag = tag;
    this.id = `histogram ${tag}`;
    this.title = tag;
    apply(this.#canvas, { 'aria-label': tag });
    const plot = element('div', { class: 'plot histogram' }, this.#canvas, this.#ends, this.#line);
    plot.addEventListener('mousemove', ({ clientX }) => {
      const step = this.#nearest(this.#stepAt(clientX - plot.getBoundingClientRect().left));
      if (step !== undefined) monitor.cursor.hover(step);
    });
    plot.addEventListener('mouseleave', () => monitor.cursor.leave());
    this.root = element(
      'section',
      { class: 'chart', 'aria-label': tag, 'data-chart': this.id },
      element('header', {}, element('h3', { title: tag }, tag)),
      plot,
      this.#facts,
    );
    new ResizeObserver(() => this.#paint()).observe(this.root);
  }

  draw(range: ChartRange): void {
    this.#range = range;
    this.#ask();
    this.#paint();
    this.moveCursor();
  }

  moveCursor(): void {
    const { cursorAt, focus, texts } = this.#monitor;
    const { from, to } = this.#range;
    this.#line.hidden = !(cursorAt >= from && cursorAt <= to);
    this.#line.style.transform = `translateX(${left + ((cursorAt - from) / (to - from)) * this.#width}px)`;
    const drawn = this.#drawn;
    const index = drawn && focus ? drawn.steps.findLastIndex((step) => step <= this.#monitor.cursor.step) : -1;
    const at = drawn && index >= 0 ? index : drawn && drawn.steps.length > 0 ? 0 : -1;
    setText(
      this.#facts,
      at < 0
        ? texts.chartEmpty
        : fill(
            texts.histogramFacts,
            count(drawn!.steps[at]!),
            number(drawn!.least[at]!),
            number(drawn!.mean[at]!),
            number(drawn!.greatest[at]!),
          ),
    );
  }

  describe(): void {
    apply(this.#canvas, { 'aria-label': `${this.title}: ${this.#facts.textContent}` });
  }

  dispose(): void {
    this.root.remove();
  }

  /** CSS pixels of the plotting area. */
  get #width(): number {
    return Math.max(1, this.root.clientWidth - left - right);
  }

  #stepAt(x: number): number {
    const { from, to } = this.#range;
    const { focus } = this.#monitor;
    const at = from + ((x - left) / this.#width) * (to - from);
    return focus ? this.#monitor.axisOf(focus).step(at) : at;
  }

  #nearest(step: number): number | undefined {
    const steps = [...(this.#drawn?.steps ?? [])];
    return steps.sort((a, b) => Math.abs(a - step) - Math.abs(b - step))[0];
  }

  /** For the run in focus; again now and then while it goes on. */
  #ask(): void {
    const { focus, host } = this.#monitor;
    const isNew = focus !== this.#run;
    const isOld = focus && isWorking(focus) && performance.now() - this.#askedAt > refreshMilliseconds;
    if (!focus || (!isNew && !isOld)) return;
    this.#run = focus;
    this.#askedAt = performance.now();
    if (isNew) this.#drawn = null;
    host.request(drawHistograms, { folder: focus.folder, tag: this.#tag }).then(
      (drawn) => {
        if (this.#run !== focus) return;
        this.#drawn = drawn;
        this.#paint();
        this.moveCursor();
      },
      () => {}, // the next draw asks again, or the run says why it cannot be read
    );
  }

  #paint(): void {
    const ratio = window.devicePixelRatio;
    const [width, drawn, run] = [this.#width, this.#drawn, this.#run];
    const canvas = this.#canvas;
    canvas.width = Math.round((width + left + right) * ratio);
    canvas.height = height * ratio;
    const context = canvas.getContext('2d')!;
    if (!drawn || !run || drawn.steps.length === 0) return;
    setText(this.#ends, '');
    this.#ends.append(element('span', {}, number(drawn.high, 3)), element('span', {}, number(drawn.low, 3)));
    const { from, to } = this.#range;
    const axis = this.#monitor.axisOf(run);
    const x = (step: number) => left + ((axis.at(step) - from) / (to - from)) * width;
    const { bins, counts, steps } = drawn;
    const bin = (height - top - 4) / bins;
    context.scale(ratio, ratio);
    context.beginPath();
    context.rect(left, top, width, height - top);
    context.clip();
    context.strokeStyle = themeColour('descriptionForeground');
    context.fillStyle = lineColour(0);
    const apart = steps.length > 1 ? (x(steps.at(-1)!) - x(steps[0]!)) / (steps.length - 1) : 12;
    steps.forEach((step, i) => {
      const begin = x(step);
      const end = i + 1 < steps.length ? x(steps[i + 1]!) : begin + Math.max(4, apart);
      if (end < left || begin > left + width) return;
      const column = counts.subarray(i * bins, (i + 1) * bins);
      const most = column.reduce((a, b) => Math.max(a, b), 0);
      column.forEach((value, row) => {
        if (!(value > 0)) return;
        // The root shows the thin ends of a distribution too.
        context.globalAlpha = 0.08 + 0.92 * Math.sqrt(value / most);
        context.fillRect(begin, top + (bins - 1 - row) * bin, Math.max(1, end - begin + 0.3), bin + 0.3);
      });
    });
  }
}
