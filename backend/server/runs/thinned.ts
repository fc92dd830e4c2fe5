/**
 * A long curve in few points, so that its picture is the same: of every stretch of steps the first and the last value, the least and
 * the greatest, and the first NaN and infinity of either sign. Every point is one that was recorded.
 */
import type { Points } from '../../protocol/rpc/index.ts';

export interface Stretches {
  /** First and last step that is wanted; one point more is given at either side. */
  readonly from: number;
  readonly to: number;
  /** Stretches of equal length between the two; at least 1. */
  readonly count: number;
}

/** Points of a stretch that are kept at most. */
const mostOfStretch = 7;

/** @param points steps ascending */
export function thinned(
  { steps, values }: Points,
  { from, to, count }: Stretches,
): Points & { readonly whole: boolean } {
  const first = Math.max(0, firstFrom(steps, from) - 1);
  const end = Math.min(steps.length, firstAfter(steps, to) + 1);
  if (end - first <= mostOfStretch * count) {
    const whole = first === 0 && end === steps.length;
    return { steps: steps.slice(first, end), values: values.slice(first, end), whole };
  }
  const kept: number[] = [];
  const perStep = count / Math.max(1, to - from);
  for (let at = first; at < end; ) {
    const stretch = Math.floor((steps[at]! - from) * perStep);
    let next = at + 1;
    while (next < end && Math.floor((steps[next]! - from) * perStep) === stretch) next++;
    keepOf(values, at, next, kept);
    at = next;
  }
  return {
    steps: Float64Array.from(kept, (i) => steps[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
    whole: false,
  };
}

/** Adds the indices of [from, to) that are kept, ascending. */
function keepOf(values: Float64Array, from: number, to: number, kept: number[]): void {
  let [least, greatest, nan, up, down] = [-1, -1, -1, -1, -1];
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) {
      if (least < 0 || value < values[least]!) least = i;
      if (greatest < 0 || value > values[greatest]!) greatest = i;
    } else if (Number.isNaN(value)) nan = nan < 0 ? i : nan;
    else if (value > 0) up = up < 0 ? i : up;
    else down = down < 0 ? i : down;
  }
  const indices = [from, least, greatest, nan, up, down, to - 1].filter((i) => i >= 0).sort((a, b) => a - b);
  for (const [n, index] of indices.entries()) if (index !== indices[n - 1]) kept.push(index);
}

function firstFrom(steps: Float64Array, step: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle]! < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the first step after this one. */
function firstAfter(steps: Float64Array, step: number): number {
  const at = firstFrom(steps, step);
  return steps[at] === step ? at + 1 : at;
}
