/**
 * The plotting area of one chart: uPlot gives axes, scales and the gestures' selection; the curves are drawn by trace.ts from
 * their pyramids, which uPlot, drawing point by point, could not do in time.
 */
import uPlot from 'uplot';
import { themeColour } from '../colours.ts';
import { number } from '../format.ts';
import type { Extent } from './pyramid.ts';
import { drawOddValues, drawStepLine, drawTrace, type Frame, type Trace } from './trace.ts';

export interface PlotContent {
  readonly traces: readonly Trace[];
  readonly from: number;
  readonly to: number;
  readonly log: boolean;
  /** Steps where a run was stopped by a NaN. */
  readonly stops: readonly number[];
}

export interface PlotActions {
  hover(step: number): void;
  leave(): void;
  pin(step: number): void;
  zoom(from: number, to: number): void;
  /** Everything. */
  reset(): void;
}

/** Narrower selections are slips of the hand. */
const leastSelection = 5;
const wheelZoom = 1.0015;

export class Plot {
  readonly root: HTMLElement;
  #plot: uPlot;
  #log = false;
  readonly #actions: PlotActions;
  readonly #line = marker('cursor-line');
  readonly #dots: HTMLElement[] = [];
  #content: PlotContent = { traces: [], from: 0, to: 1, log: false, stops: [] };
  #values: [number, number] = [0, 1];
  #cursor: number | null = null;

  constructor(actions: PlotActions, width: number, height: number) {
    this.#actions = actions;
    this.root = document.createElement('div');
    this.root.className = 'plot';
    this.#plot = this.#make(width, height);
  }

  get canvas(): HTMLCanvasElement {
    return this.#plot.ctx.canvas;
  }

  resize(width: number, height: number): void {
    if (width === this.#plot.width && height === this.#plot.height) return;
    this.#plot.setSize({ width, height });
    this.moveCursor(this.#cursor);
  }

  draw(content: PlotContent): void {
    this.#content = content;
    this.#values = valueRange(content);
    if (content.log !== this.#log) {
      // A scale of uPlot is of one kind for life.
      this.#log = content.log;
      const { width, height } = this.#plot;
      this.#plot.destroy();
      this.#plot = this.#make(width, height);
    }
    this.#plot.setData(
      [
        [content.from, content.to],
        [this.#values[0], this.#values[1]],
      ],
      true,
    );
    this.moveCursor(this.#cursor);
  }

  /** A line at the step, and a dot on every curve that has a value there or before. */
  moveCursor(step: number | null): void {
    this.#cursor = step;
    const { traces, from, to } = this.#content;
    const hidden = step === null || step < from || step > to;
    this.#line.hidden = hidden;
    while (this.#dots.length < traces.length) {
      const dot = marker('cursor-dot');
      this.#dots.push(dot);
      this.#plot.over.append(dot);
    }
    if (!hidden) this.#line.style.transform = `translateX(${this.#plot.valToPos(step, 'x')}px)`;
    this.#dots.forEach((dot, i) => {
      const trace = traces[i];
      const series = trace?.smooth ?? trace?.raw;
      const index = series && step !== null ? series.indexUpTo(step) : -1;
      const y = series && index >= 0 ? this.#y(series.value(index)) : Number.NaN;
      dot.hidden = hidden || Number.isNaN(y) || series!.step(index) < from;
      if (dot.hidden) return;
      dot.style.background = trace!.colour;
      dot.style.transform = `translate(${this.#plot.valToPos(series!.step(index), 'x')}px, ${y}px)`;
    });
  }

  dispose(): void {
    this.#plot.destroy();
  }

  /** CSS pixels from the top of the plotting area. */
  #y(value: number): number {
    if (!Number.isFinite(value) || (this.#content.log && value <= 0)) return Number.NaN;
    return this.#plot.valToPos(value, 'y');
  }

  #make(width: number, height: number): uPlot {
    const axis = (own: uPlot.Axis): uPlot.Axis => ({
      stroke: () => themeColour('descriptionForeground'),
      grid: { stroke: () => gridColour(), width: 1 },
      ticks: { show: false },
      font: `11px ${themeColour('font-family', 'sans-serif')}`,
      ...own,
    });
    const plot = new uPlot(
      {
        width,
        height,
        padding: [6, 8, 0, 0],
        legend: { show: false },
        scales: {
          x: { time: false, range: () => [this.#content.from, this.#content.to] },
          y: { distr: this.#log ? 3 : 1, range: () => this.#values },
        },
        axes: [
          axis({ size: 22, gap: 3, space: 60, values: (_, splits) => splits.map(shortStep) }),
          axis({
            size: 52,
            gap: 4,
            space: 24,
            values: (_, splits) => splits.map((v) => (v === null ? '' : number(v))),
          }),
        ],
        series: [{}, { paths: () => null, points: { show: false } }],
        cursor: {
          x: false,
          y: false,
          points: { show: false },
          // uPlot takes a click at the very edge for a drag and would swallow it.
          drag: { x: true, y: false, setScale: false, dist: leastSelection, click: () => {} },
          bind: { mousedown: (_, __, select) => (event) => this.#press(event, select), dblclick: () => () => null },
        },
        hooks: { draw: [(plot) => this.#paint(plot)], setSelect: [(plot) => this.#selected(plot)] },
      },
      [
        [0, 1],
        [0, 1],
      ],
      this.root,
    );
    plot.over.append(this.#line, ...this.#dots);
    this.#listen(plot.over);
    return plot;
  }

  #paint({ ctx, bbox }: uPlot): void {
    const { from, to, traces, stops, log } = this.#content;
    const [low, high] = this.#values;
    const scaled = log ? Math.log10 : (value: number) => value;
    const perUnit = bbox.height / (scaled(high) - scaled(low));
    const bottom = bbox.top + bbox.height;
    const frame: Frame = {
      ...bbox,
      from,
      to,
      ratio: uPlot.pxRatio,
      y(value) {
        if (!Number.isFinite(value) || (log && value <= 0)) return Number.NaN;
        return bottom - (scaled(value) - scaled(low)) * perUnit;
      },
    };
    const error = themeColour('errorForeground');
    for (const step of stops) drawStepLine(ctx, step, frame, error);
    for (const trace of traces) drawTrace(ctx, trace, frame);
    for (const trace of traces) drawOddValues(ctx, trace.raw, frame, error);
  }

  #selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < leastSelection) return;
    const from = plot.posToVal(left, 'x');
    const to = plot.posToVal(left + width, 'x');
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#actions.zoom(from, to);
  }

  /** With Shift the picture goes with the pointer; without it uPlot selects. */
  #press(event: MouseEvent, select: (event: MouseEvent) => unknown): null {
    if (event.button !== 0) return null;
    if (!event.shiftKey) {
      select(event);
      return null;
    }
    event.preventDefault();
    const { from, to } = this.#content;
    const perPixel = (to - from) / this.#plot.over.clientWidth;
    const move = ({ clientX }: MouseEvent) => {
      const by = (event.clientX - clientX) * perPixel;
      this.#actions.zoom(from + by, to + by);
    };
    const end = () => {
      document.removeEventListener('mousemove', move);
      document.removeEventListener('mouseup', end);
    };
    document.addEventListener('mousemove', move);
    document.addEventListener('mouseup', end);
    return null;
  }

  #listen(over: HTMLElement): void {
    const stepAt = ({ clientX }: MouseEvent) => this.#plot.posToVal(clientX - over.getBoundingClientRect().left, 'x');
    let pressedAt = 0;
    over.addEventListener('mousemove', (event) => this.#actions.hover(stepAt(event)));
    over.addEventListener('mouseleave', () => this.#actions.leave());
    over.addEventListener('mousedown', ({ clientX }) => {
      pressedAt = clientX;
    });
    over.addEventListener('click', (event) => {
      const slipped = Math.abs(event.clientX - pressedAt) >= leastSelection;
      if (!slipped && !event.shiftKey && event.detail < 2) this.#actions.pin(stepAt(event));
    });
    over.addEventListener('dblclick', () => this.#actions.reset());
    over.addEventListener(
      'wheel',
      (event) => {
        const { from, to } = this.#content;
        const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
        if (event.ctrlKey || event.metaKey) {
          const at = stepAt(event);
          const factor = wheelZoom ** event.deltaY;
          this.#actions.zoom(at - (at - from) * factor, at + (to - at) * factor);
        } else if (sideways !== 0) {
          const by = (sideways / over.clientWidth) * (to - from);
          this.#actions.zoom(from + by, to + by);
        } else return; // up and down is the page's
        event.preventDefault();
      },
      { passive: false },
    );
  }
}

/** All visible raw values, with a little room. On a log scale what is not positive has no place. */
function valueRange({ traces, from, to, log }: PlotContent): [number, number] {
  const all: Extent = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  for (const { raw } of traces) {
    const first = Math.max(0, raw.indexFrom(from) - 1);
    const end = Math.min(raw.length, raw.indexUpTo(to) + 2);
    const extent = raw.extent(first, end);
    if (log && extent.min <= 0) extent.min = leastPositive(raw, first, end);
    all.min = Math.min(all.min, extent.min);
    all.max = Math.max(all.max, extent.max);
  }
  if (!(all.min <= all.max) || (log && all.max <= 0)) return log ? [0.1, 1] : [0, 1];
  if (log) return all.min === all.max ? [all.min / 2, all.max * 2] : [all.min / 1.1, all.max * 1.1];
  const room = all.min === all.max ? Math.abs(all.min) * 0.1 || 1 : (all.max - all.min) * 0.05;
  return [all.min - room, all.max + room];
}

function leastPositive(series: Trace['raw'], from: number, to: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = from; i < to; i++) {
    const value = series.value(i);
    if (value > 0 && value < least) least = value;
  }
  return least;
}

function shortStep(step: number): string {
  if (!Number.isInteger(step)) return '';
  const size = Math.abs(step);
  if (size >= 1e6) return `${Number((step / 1e6).toPrecision(4))}M`;
  return size >= 1e4 ? `${Number((step / 1e3).toPrecision(4))}k` : String(step);
}

function gridColour(): string {
  return themeColour('contrastBorder', '') ? `${'#808080'}60` : '#80808026';
}

function marker(name: string): HTMLElement {
  const element = document.createElement('div');
  element.className = name;
  element.hidden = true;
  return element;
}
