/** Odd arrays and what is true of them, computed apart from what is tested. */
import { randomBelow, uniform } from '../../random.ts';

export interface Expected {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly std: number;
  readonly nan: number;
  readonly above: number;
  readonly below: number;
  readonly zero: number;
}

/** Numbers between -3 and 3 as float32, with some NaN, infinities and zeros among them. */
export function oddNumbers(count: number): Float32Array {
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  return Float32Array.from({ length: count }, () => (randomBelow(9) === 0 ? odd[randomBelow(4)]! : uniform() * 6 - 3));
}

export function expectedStatistics(all: ArrayLike<number>): Expected {
  const numbers = Array.from(all);
  const finite = numbers.filter(Number.isFinite);
  const mean = finite.reduce((sum, n) => sum + n, 0) / finite.length;
  const of = (is: (n: number) => boolean) => numbers.filter(is).length;
  return {
    count: numbers.length,
    min: finite.reduce((least, n) => Math.min(least, n), Number.POSITIVE_INFINITY),
    mean,
    max: finite.reduce((most, n) => Math.max(most, n), Number.NEGATIVE_INFINITY),
    std: Math.sqrt(finite.reduce((sum, n) => sum + (n - mean) ** 2, 0) / finite.length),
    nan: of(Number.isNaN),
    above: of((n) => n === Number.POSITIVE_INFINITY),
    below: of((n) => n === Number.NEGATIVE_INFINITY),
    zero: of((n) => n === 0),
  };
}

/** Python's expression of an array in one line. */
export function pythonArray(numbers: Float32Array, shape: readonly number[]): string {
  const base64 = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('base64');
  return `numpy.frombuffer(base64.b64decode('${base64}'), 'f4').reshape(${JSON.stringify(shape)}).copy()`;
}
