/** What is said of many numbers in a line. Sums are of the finite ones, in double precision. */

export interface Statistics {
  readonly count: number;
  /** Of the finite numbers; NaN when there are none. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Of the population: divided by the count. */
  readonly std: number;
  /** Root of the sum of squares. */
  readonly norm: number;
  readonly nan: number;
  readonly plusInfinity: number;
  readonly minusInfinity: number;
  readonly zero: number;
}

export function statistics(values: ArrayLike<number>): Statistics {
  const odd = { nan: 0, plusInfinity: 0, minusInfinity: 0, zero: 0 };
  let [min, max, sum, squares, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      if (Number.isNaN(value)) odd.nan++;
      else if (value > 0) odd.plusInfinity++;
      else odd.minusInfinity++;
      continue;
    }
    if (value === 0) odd.zero++;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    squares += value * value;
    finite++;
  }
  const mean = sum / finite;
  // In two passes: a mean that is large beside the spread would eat its digits.
  let around = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) around += (value - mean) ** 2;
  }
  const none = finite === 0;
  return {
    count: values.length,
    min: none ? Number.NaN : min,
    max: none ? Number.NaN : max,
    mean,
    std: Math.sqrt(around / finite),
    norm: Math.sqrt(squares),
    ...odd,
  };
}
