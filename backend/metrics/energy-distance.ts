/**
 * How far two sets of samples are apart, and how wide each is, from distances between samples alone: the energy distance
 * 2 E|x - y| - E|x - x'| - E|y - y'| (Székely & Rizzo 2013), which is 0 only for equal distributions. For a few dozen samples;
 * distances are root mean squares over the numbers of a sample.
 */

/** Flat [count, numbers]. */
export interface Samples {
  readonly data: ArrayLike<number>;
  readonly count: number;
}

/** @returns E|x - x'| over pairs of different samples; 0 for a single one */
export function meanDistance({ data, count }: Samples): number {
  let sum = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) sum += distance(data, i, data, j, data.length / count);
  return count > 1 ? sum / ((count * (count - 1)) / 2) : 0;
}

/** @returns the unbiased estimate, which may be a little below 0 where both are the same distribution */
export function energyDistance(x: Samples, y: Samples): number {
  const numbers = x.data.length / x.count;
  if (y.data.length / y.count !== numbers) throw new Error('samples of two sizes');
  let sum = 0;
  for (let i = 0; i < x.count; i++) {
    for (let j = 0; j < y.count; j++) sum += distance(x.data, i, y.data, j, numbers);
  }
  return (2 * sum) / (x.count * y.count) - meanDistance(x) - meanDistance(y);
}

function distance(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number, numbers: number): number {
  let squares = 0;
  for (let n = 0; n < numbers; n++) squares += (a[i * numbers + n]! - b[j * numbers + n]!) ** 2;
  return Math.sqrt(squares / numbers);
}
