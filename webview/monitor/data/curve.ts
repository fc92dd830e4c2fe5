/**
 * One curve of a run as the page has it: all of it in as many points as show, a stretch of it nearer where somebody looked closer, and
 * every point that came since. With its running mean, which the backend began over everything recorded.
 */
import type { DrawnCurve, Points } from '../../../backend/protocol/rpc/runs.ts';
import { RunningMean } from '../../../backend/protocol/running-mean.ts';
import { Series } from '../../shared/charts/series.ts';

export interface Lines {
  readonly raw: Series;
  /** Null without smoothing. */
  readonly smooth: Series | null;
}

/** What one answer of the backend drew. */
interface Drawn extends Lines {
  readonly from: number;
  readonly to: number;
  /** Steps that are told apart at least; 0: all. */
  readonly grain: number;
}

export class Curve {
  readonly tag: string;
  /** Every recorded point is here. */
  readonly whole: boolean;
  readonly #all: Drawn;
  readonly #mean: RunningMean | null;
  #near: Drawn | null = null;
  /** Index of the best value among the first so many. A curve is judged one way for life. */
  #best = -1;
  #judged = 0;

  /** @param smoothing as asked for */
  constructor({ tag, whole, raw, smooth }: DrawnCurve, stretches: number, smoothing: number) {
    const lines = linesOf(raw, smooth);
    const [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const length = lines.raw.lastStep - lines.raw.firstStep;
    this.tag = tag;
    this.whole = whole;
    this.#all = { ...lines, from, to, grain: whole ? 0 : length / stretches };
    this.#mean = smooth ? new RunningMean(smoothing, smooth.mean) : null;
  }

  /** All of it. */
  get raw(): Series {
    return this.#all.raw;
  }

  /** The least or the greatest value of all; null before there is a finite one. */
  best(which: 'least' | 'greatest'): { readonly step: number; readonly value: number } | null {
    const { raw } = this.#all;
    const sign = which === 'least' ? 1 : -1;
    for (; this.#judged < raw.length; this.#judged++) {
      const value = raw.value(this.#judged);
      if (!Number.isFinite(value)) continue;
      if (this.#best < 0 || sign * value < sign * raw.value(this.#best)) this.#best = this.#judged;
    }
    return this.#best < 0 ? null : { step: raw.step(this.#best), value: raw.value(this.#best) };
  }

  /** The nearest that is known of some steps. */
  over(from: number, to: number): Lines {
    return this.#over(from, to);
  }

  #over(from: number, to: number): Drawn {
    const near = this.#near;
    return near && near.from <= from && near.to >= to && near.grain < this.#all.grain ? near : this.#all;
  }

  /** Looked at these steps, so many stretches of them are not told apart. */
  isCoarse(from: number, to: number, stretches: number): boolean {
    return this.#over(from, to).grain > (to - from) / stretches;
  }

  /** Steps of it, nearer. */
  refine({ raw, smooth }: DrawnCurve, [from, to]: readonly [number, number], stretches: number): void {
    const lines = linesOf(raw, smooth);
    const isOpen = to >= this.raw.lastStep;
    this.#near = { ...lines, from, to: isOpen ? Number.POSITIVE_INFINITY : to, grain: (to - from) / stretches };
    // What came while the backend was asked.
    if (isOpen) catchUp(lines, this.#all);
  }

  append(points: Points): void {
    const { steps, values } = later(points, this.raw.lastStep);
    if (steps.length === 0) return;
    const means = this.#mean && values.map((value, i) => this.#mean!.next(steps[i]!, value));
    for (const lines of [this.#all, this.#near]) {
      if (!lines || lines.to !== Number.POSITIVE_INFINITY) continue;
      lines.raw.append(steps, values);
      if (means) lines.smooth?.append(steps, means);
    }
  }

  /** Points after a step, for one that was drawn meanwhile. */
  after(step: number): Points {
    const { raw } = this.#all;
    const first = raw.indexUpTo(step) + 1;
    const length = raw.length - first;
    return {
      steps: Float64Array.from({ length }, (_, i) => raw.step(first + i)),
      values: Float64Array.from({ length }, (_, i) => raw.value(first + i)),
    };
  }
}

function linesOf(raw: Points, smooth: Points | null): Lines {
  const series = ({ steps, values }: Points) => {
    const made = new Series();
    made.append(steps, values);
    return made;
  };
  return { raw: series(raw), smooth: smooth && series(smooth) };
}

function later({ steps, values }: Points, step: number): Points {
  const first = Number.isNaN(step) ? 0 : steps.findIndex((at) => at > step);
  return first < 0
    ? { steps: new Float64Array(), values: new Float64Array() }
    : { steps: steps.subarray(first), values: values.subarray(first) };
}

function catchUp(lines: Lines, all: Lines): void {
  const copy = (to: Series | null, from: Series | null) => {
    if (!to || !from) return;
    for (let i = from.indexUpTo(to.lastStep) + 1; i < from.length; i++) to.append([from.step(i)], [from.value(i)]);
  };
  copy(lines.raw, all.raw);
  copy(lines.smooth, all.smooth);
}
