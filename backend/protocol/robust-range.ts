/**
 * How far numbers go from zero, for those who record them and those who show them: the same numbers have the same range on
 * either side. Imports nothing.
 */

export interface Range {
  /** The greatest size of a finite number; 0 when there is none. */
  readonly max: number;
  /** What 99.5 % of the sizes do not exceed: where colours end when nobody says so. */
  readonly quantile: number;
}

const part = 0.995;
/** As many numbers as say where a quantile is. */
const sampleSize = 20_000;

/** @param value the numbers by index, 0 to count - 1. Those that are not finite do not count */
export function robustRange(count: number, value: (index: number) => number): Range {
  const every = Math.max(1, Math.floor(count / sampleSize));
  const sizes = new Float32Array(Math.ceil(count / every));
  let [found, max] = [0, 0];
  for (let i = 0; i < count; i++) {
    const size = Math.abs(value(i));
    if (!Number.isFinite(size)) continue;
    if (size > max) max = size;
    if (i % every === 0) sizes[found++] = size;
  }
  if (found === 0) return { max, quantile: max };
  const sorted = sizes.subarray(0, found).sort();
  return { max, quantile: sorted[Math.min(found - 1, Math.floor(part * found))]! };
}
