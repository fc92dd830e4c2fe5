/**
 * One computed quantity against the expected one, by the rule of the reference data: an array is within its tolerance
 * when max|actual - expected| <= tolerance * max|expected|; a scalar likewise, which makes it relative.
 */

/** Row-major numbers of any precision with their shape. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** Stored as whole numbers (int64). */
  readonly integer?: boolean;
}

export interface Limit {
  /** Largest absolute error over the largest expected number. */
  readonly relative?: number;
  /** Replaces `relative`: largest absolute error. */
  readonly absolute?: number;
  /** Also: root of the mean squared error over that of the expected numbers. */
  readonly rms?: number;
  /** Also: every element's own relative error. */
  readonly elementwise?: number;
}

export interface Comparison {
  readonly name: string;
  readonly ok: boolean;
  /** max|actual - expected|; NaN when a number is NaN, null when nothing was computed. */
  readonly absolute: number | null;
  /** `absolute` over max|expected|. */
  readonly relative: number | null;
  readonly limit: Limit;
  /** What else went wrong, or how the tolerance is to be read; often empty. */
  readonly note: string;
}

/** What the implementation does not compute is a miss, never passed over. */
export function missing(name: string, limit: Limit, note = 'not computed by this version'): Comparison {
  return { name, ok: false, absolute: null, relative: null, limit, note };
}

/** A yes-or-no check in the form of a comparison. */
export function fact(name: string, ok: boolean, note: string): Comparison {
  return { name, ok, absolute: ok ? 0 : null, relative: ok ? 0 : null, limit: { relative: 0 }, note };
}

export function compareScalar(name: string, actual: number, expected: number, limit: Limit): Comparison {
  return compare(name, { shape: [], data: [actual] }, { shape: [], data: [expected] }, limit);
}

export function compare(name: string, actual: NumberArray, expected: NumberArray, limit: Limit): Comparison {
  if (actual.shape.join() !== expected.shape.join()) {
    return missing(name, limit, `computed with shape [${actual.shape}] where [${expected.shape}] is expected`);
  }
  const errors = measure(actual.data, expected.data, limit.elementwise ?? Infinity);
  const { absolute, largest } = errors;
  const relative = absolute === 0 ? 0 : absolute / largest;
  const broken: string[] = [];
  const allowed = limit.absolute ?? (limit.relative ?? 0) * largest;
  // Written so that NaN is a miss.
  if (!(absolute <= allowed)) broken.push('');
  if (limit.rms !== undefined && !(errors.rms <= limit.rms)) {
    broken.push(`relative rms error ${errors.rms.toExponential(1)} > ${limit.rms}`);
  }
  if (errors.outside > 0)
    broken.push(`${errors.outside} elements off by more than ${limit.elementwise} of their value`);
  const absoluteNote = limit.absolute === undefined ? [] : ['tolerance is absolute'];
  return {
    name,
    ok: broken.length === 0,
    absolute,
    relative,
    limit,
    note: [...broken, ...absoluteNote].filter(Boolean).join('; '),
  };
}

function measure(actual: ArrayLike<number>, expected: ArrayLike<number>, elementwise: number) {
  let [absolute, largest, errorSquares, squares, outside] = [0, 0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const error = actual[i] === expected[i] ? 0 : Math.abs(actual[i] - expected[i]); // equal infinities too
    const size = Math.abs(expected[i]);
    absolute = Math.max(absolute, error); // NaN stays NaN
    largest = Math.max(largest, size);
    errorSquares += error ** 2;
    squares += size ** 2;
    if (!(error <= elementwise * size) && elementwise !== Infinity) outside += 1;
  }
  return { absolute, largest, outside, rms: errorSquares === 0 ? 0 : Math.sqrt(errorSquares / squares) };
}
