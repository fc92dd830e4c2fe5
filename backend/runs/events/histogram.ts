/**
 * Histograms in TensorBoard's own layout: bucket limits grow by 10 % from 1e-12 to 1e20, mirrored for negative values,
 * with 0 in the middle and the largest double at both ends; a run of empty buckets is stored as one.
 */

/** The fields of TensorBoard's HistogramProto. Bucket i counts values in [limit[i-1], limit[i]). */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** How many values. */
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly bucketLimit: readonly number[];
  readonly bucket: readonly number[];
}

const limits = bucketLimits();

function bucketLimits(): Float64Array {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  positive.push(Number.MAX_VALUE);
  return Float64Array.from([...positive.map((limit) => -limit).reverse(), 0, ...positive]);
}

/** Sorts values into TensorBoard's buckets. Values that are not finite have no bucket and are left out. */
export function histogramOf(values: ArrayLike<number>): Histogram {
  const counts = new Float64Array(limits.length);
  let min = Number.MAX_VALUE;
  let max = -Number.MAX_VALUE;
  let num = 0;
  let sum = 0;
  let sumSquares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    counts[bucketIndex(value)]! += 1;
    if (value < min) min = value;
    if (value > max) max = value;
    num += 1;
    sum += value;
    sumSquares += value * value;
  }
  return { min, max, num, sum, sumSquares, ...collapsed(counts) };
}

/** The first limit greater than the value, by bisection. */
function bucketIndex(value: number): number {
  let low = 0;
  let high = limits.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (limits[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Only the last limit of a run of empty buckets is kept: it is where the next bucket begins. */
function collapsed(counts: Float64Array): { bucketLimit: number[]; bucket: number[] } {
  const bucketLimit: number[] = [];
  const bucket: number[] = [];
  counts.forEach((count, i) => {
    if (count === 0 && i + 1 < counts.length && counts[i + 1] === 0) return;
    bucketLimit.push(limits[i]!);
    bucket.push(count);
  });
  return { bucketLimit, bucket };
}
