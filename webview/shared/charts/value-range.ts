/** Between which values a chart reaches. */
import { type Axis, bySteps } from './axis.ts';
import type { Extent } from './pyramid.ts';
import type { Series } from './series.ts';

/** What a curve's range is made of. */
interface Curve {
  readonly raw: Series;
  readonly smooth: Series | null;
  readonly axis?: Axis;
}

export interface Shown {
  readonly traces: readonly Curve[];
  /** Ends of the axis. */
  readonly from: number;
  readonly to: number;
  readonly log: boolean;
}

/**
 * All visible values and means (which lag behind, and so may lie outside the values that are visible), with a little room. On a log
 * scale what is not positive has no place.
 */
export function valueRange({ traces, from, to, log }: Shown): [number, number] {
  const all: Extent = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  for (const { raw, smooth, axis = bySteps } of traces) {
    for (const series of smooth ? [raw, smooth] : [raw]) {
      const extent = extentOf(series, axis.step(from), axis.step(to), log);
      all.min = Math.min(all.min, extent.min);
      all.max = Math.max(all.max, extent.max);
    }
  }
  if (!(all.min <= all.max) || (log && all.max <= 0)) return log ? [0.1, 1] : [0, 1];
  if (log) return all.min === all.max ? [all.min / 2, all.max * 2] : [all.min / 1.1, all.max * 1.1];
  const room = all.min === all.max ? Math.abs(all.min) * 0.1 || 1 : (all.max - all.min) * 0.05;
  return [all.min - room, all.max + room];
}

/** One value more at either side: lines leave the picture. */
function extentOf(series: Series, from: number, to: number, log: boolean): Extent {
  const first = Math.max(0, series.indexFrom(from) - 1);
  const end = Math.min(series.length, series.indexUpTo(to) + 2);
  const extent = series.extent(first, end);
  if (log && extent.min <= 0) extent.min = leastPositive(series, first, end);
  return extent;
}

function leastPositive(series: Series, from: number, to: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = from; i < to; i++) {
    const value = series.value(i);
    if (value > 0 && value < least) least = value;
  }
  return least;
}
