/**
 * The plotting area of one chart: uPlot gives axes, scales and the gestures' selection; the curves are drawn by trace.ts from
 * their pyramids, which uPlot, drawing point by point, could not do in time.
 */
import uPlot from 'uplot';
import { themeColour } from '../colours.ts';
import { number } from '../format.ts';
import { type AxisKind, axisLabel, bySteps, secondsApart } from './axis.ts';
import { logTicks } from './log-ticks.ts';
import { drawBest, drawEvent, drawKept, drawOddValues, drawTrace, type Frame, type Trace } from './trace.ts';
import { valueRange } from './value-range.ts';

export interface PlotContent {
  readonly traces: readonly Trace[];
  /** Ends of the axis. */
  readonly from: number;
  readonly to: number;
  readonly log: boolean;
  /** Where on the axis a run was stopped by a NaN. */
  readonly stops: readonly number[];
  /** Where on the axis a checkpoint is. */
  readonly kept?: readonly number[];
  /** Left out: steps. */
  readonly axis?: AxisKind;
}

/** Places are numbers of the axis. */
export interface PlotActions {
  hover(at: number): void;
  /** The curve that the pointer is next to, of several. */
  near?(trace: Trace | null): void;
  leave(): void;
  pin(at: number): void;
  zoom(from: number, to: number): void;
  /** Everything. */
  reset(): void;
}

/** Narrower selections are slips of the hand. */
const leastSelection = 5;
const wheelZoom = 1.0015;
/** CSS pixels from the pointer to a curve that is next to it. */
const nearPixels = 14;
/** At the right of the picture, at least. */
const leastRoom = 8;

export class Plot {
  readonly root: HTMLElement;
  #plot: uPlot;
  #kind = kindOf(nothing);
  /** Of the widest label, in CSS pixels. */
  #labelWidth = 0;
  readonly #actions: PlotActions;
  readonly #line = marker('cursor-line');
  readonly #dots: HTMLElement[] = [];
  #content = nothing;
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
    const kind = kindOf(content);
    if (kind !== this.#kind) {
      // A scale of uPlot is of one kind for life.
      this.#kind = kind;
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

  /** A line at a place of the axis, and a dot on every curve that has a value there or before. */
  moveCursor(at: number | null): void {
    this.#cursor = at;
    const { from, to } = this.#content;
    const dotted = this.#content.traces.filter((trace) => trace.dotted !== false);
    const hidden = at === null || !(at >= from && at <= to);
    this.#line.hidden = hidden;
    while (this.#dots.length < dotted.length) {
      const dot = marker('cursor-dot');
      this.#dots.push(dot);
      this.#plot.over.append(dot);
    }
    if (!hidden) this.#line.style.transform = `translateX(${this.#plot.valToPos(at, 'x')}px)`;
    this.#dots.forEach((dot, i) => {
      const trace = dotted[i];
      const place = trace && at !== null ? this.#placeOf(trace, at) : null;
      dot.hidden = hidden || place === null || place.at < from;
      if (dot.hidden) return;
      dot.style.background = trace!.colour;
      dot.style.transform = `translate(${this.#plot.valToPos(place!.at, 'x')}px, ${place!.y}px)`;
    });
  }

  /** The last point of a curve up to a place of the axis: where on it, and how far from the top; null where it has none. */
  #placeOf(trace: Trace, at: number): { at: number; y: number } | null {
    const { axis = bySteps } = trace;
    const series = trace.smooth ?? trace.raw;
    const index = series.indexUpTo(axis.step(at));
    const y = index >= 0 ? this.#y(series.value(index)) : Number.NaN;
    return Number.isNaN(y) ? null : { at: axis.at(series.step(index)), y };
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
    const { log, axis: kind = 'step' } = this.#content;
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
        // The last label is as wide as the others, and half of it lies beyond the last step.
        padding: [6, () => Math.max(leastRoom, Math.ceil(this.#labelWidth / 2) + 1), 0, 0],
        legend: { show: false },
        scales: {
          x: { time: false, range: () => [this.#content.from, this.#content.to] },
          y: { distr: log ? 3 : 1, range: () => this.#values },
        },
        axes: [
          axis({
            size: 22,
            gap: 3,
            space: 60,
            ...(kind === 'step' ? {} : { incrs: [...secondsApart] }),
            values: (_, splits, __, ___, apart) => this.#labels(splits, kind, apart),
          }),
          axis({
            size: 52,
            gap: 4,
            space: 24,
            ...(log ? { splits: (_: uPlot, __: number, min: number, max: number) => logTicks(min, max) } : {}),
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
        hooks: { draw: [(plot) => this.#drawn(plot)], setSelect: [(plot) => this.#selected(plot)] },
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

  #labels(splits: readonly number[], kind: AxisKind, apart: number): string[] {
    const labels = splits.map((split) => axisLabel(kind, split, apart));
    measuring.font = `11px ${themeColour('font-family', 'sans-serif')}`;
    this.#labelWidth = Math.max(0, ...labels.map((label) => measuring.measureText(label).width));
    return labels;
  }

  #drawn(plot: uPlot): void {
    this.#paint(plot);
    // Until now the places on the axis were those of what was drawn before.
    if (plot === this.#plot) this.moveCursor(this.#cursor);
  }

  #paint({ ctx, bbox }: uPlot): void {
    const { from, to, traces, stops, kept = [], log } = this.#content;
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
    const background = themeColour('editor-background', '#ffffff');
    for (const at of stops) drawEvent(ctx, at, frame, error);
    for (const at of kept) drawKept(ctx, at, frame, themeColour('descriptionForeground'));
    // What is looked at lies above the others.
    for (const dim of [true, false]) {
      const some = traces.filter((trace) => (trace.dim === true) === dim);
      for (const trace of some) drawTrace(ctx, trace, frame);
      for (const trace of some) drawBest(ctx, trace, frame, background);
    }
    for (const trace of traces) drawOddValues(ctx, trace, frame, error);
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

  #near(at: number, y: number): Trace | null {
    let [nearest, distance]: [Trace | null, number] = [null, nearPixels];
    for (const trace of this.#content.traces) {
      const place = this.#placeOf(trace, at);
      if (!place || Math.abs(place.y - y) >= distance) continue;
      nearest = trace;
      distance = Math.abs(place.y - y);
    }
    return nearest;
  }

  #listen(over: HTMLElement): void {
    const stepAt = ({ clientX }: MouseEvent) => this.#plot.posToVal(clientX - over.getBoundingClientRect().left, 'x');
    let pressedAt = 0;
    over.addEventListener('mousemove', (event) => {
      const at = stepAt(event);
      this.#actions.hover(at);
      this.#actions.near?.(this.#near(at, event.clientY - over.getBoundingClientRect().top));
    });
    over.addEventListener('mouseleave', () => {
      this.#actions.leave();
      this.#actions.near?.(null);
    });
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

const nothing: PlotContent = { traces: [], from: 0, to: 1, log: false, stops: [] };

function kindOf({ log, axis = 'step' }: PlotContent): string {
  return `${log} ${axis}`;
}

const measuring = document.createElement('canvas').getContext('2d')!;

function gridColour(): string {
  return themeColour('contrastBorder', '') ? `${'#808080'}60` : '#80808026';
}

function marker(name: string): HTMLElement {
  const element = document.createElement('div');
  element.className = name;
  element.hidden = true;
  return element;
}
