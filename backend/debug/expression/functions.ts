/** The functions of expressions. Those of one tensor that give one number are properties as well: `mean(grad)` is `grad.mean`. */
import type { Computed } from './array.ts';
import { isTensor, mapped } from './array.ts';
import { wrong } from './tokens.ts';

/** Of one or more arguments, to one number. NaN and infinities count as in arithmetic. */
const reductions: Readonly<Record<string, (numbers: ArrayLike<number>) => number>> = {
  mean: (x) => sum(x) / x.length,
  sum,
  min: (x) => fold(x, Math.min, Number.POSITIVE_INFINITY),
  max: (x) => fold(x, Math.max, Number.NEGATIVE_INFINITY),
  std: (x) => {
    const mean = sum(x) / x.length;
    return Math.sqrt(fold(x, (all, value) => all + (value - mean) ** 2, 0) / x.length);
  },
  norm: (x) => Math.sqrt(fold(x, (all, value) => all + value * value, 0)),
  size: (x) => x.length,
  nan: (x) => counted(x, Number.isNaN),
  inf: (x) => counted(x, (value) => Math.abs(value) === Number.POSITIVE_INFINITY),
  zero: (x) => counted(x, (value) => value === 0),
  any: (x) => Number(counted(x, (value) => value !== 0 && !Number.isNaN(value)) > 0),
  all: (x) => Number(counted(x, (value) => value !== 0 && !Number.isNaN(value)) === x.length),
};

/** Number by number; with so many arguments. */
const each: Readonly<Record<string, readonly [count: number, of: (...values: number[]) => number]>> = {
  abs: [1, Math.abs],
  sqrt: [1, Math.sqrt],
  exp: [1, Math.exp],
  log: [1, Math.log],
  tanh: [1, Math.tanh],
  sign: [1, Math.sign],
  floor: [1, Math.floor],
  ceil: [1, Math.ceil],
  round: [1, Math.round],
  isnan: [1, (x) => Number(Number.isNaN(x))],
  isinf: [1, (x) => Number(Math.abs(x) === Number.POSITIVE_INFINITY)],
  isfinite: [1, (x) => Number(Number.isFinite(x))],
  min: [2, Math.min],
  max: [2, Math.max],
  clamp: [3, (x, low, high) => Math.min(high, Math.max(low, x))],
  where: [3, (test, yes, no) => (test !== 0 && !Number.isNaN(test) ? yes : no)],
};

/** Of two tensors with as many numbers, to one number. */
const pairs: Readonly<Record<string, (a: ArrayLike<number>, b: ArrayLike<number>) => number>> = {
  dot,
  cosine: (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
};

export const functionNames = [...new Set([reductions, each, pairs].flatMap((of) => Object.keys(of)))].sort();
export const propertyNames = [...Object.keys(reductions).sort(), 'shape'];

export const constants: Readonly<Record<string, number>> = {
  ...{ pi: Math.PI, inf: Number.POSITIVE_INFINITY, nan: Number.NaN, true: 1, false: 0 },
};

/** Throws UserError for an unknown function or arguments that are not its own. */
export function called(name: string, values: readonly Computed[], at: number): Computed {
  const own = (of: object) => Object.hasOwn(of, name);
  const [first, second] = values;
  if (own(each) && each[name]![0] === values.length) return mapped(each[name]![1], values, at);
  if (own(reductions) && values.length === 1) return reductions[name]!(numbersOf(first!));
  if (own(pairs) && values.length === 2) {
    const [a, b] = [numbersOf(first!), numbersOf(second!)];
    if (a.length !== b.length) throw wrong(`${name} of ${a.length} and ${b.length} numbers`, at);
    return pairs[name]!(a, b);
  }
  if (!own(each) && !own(reductions) && !own(pairs)) throw wrong(`there is no function ${name}`, at);
  const counts = [...(own(reductions) ? [1] : []), ...(own(pairs) ? [2] : []), ...(own(each) ? [each[name]![0]] : [])];
  throw wrong(`${name} takes ${[...new Set(counts)].sort().join(' or ')} arguments, not ${values.length}`, at);
}

/** `shape` is the lengths of the axes, as a tensor. */
export function property(value: Computed, name: string, at: number): Computed {
  if (name === 'shape' && isTensor(value)) return { shape: [value.shape.length], data: Float32Array.from(value.shape) };
  if (Object.hasOwn(reductions, name)) return reductions[name]!(numbersOf(value));
  throw wrong(`there is no ${name} of this; there are ${propertyNames.join(', ')}`, at);
}

const numbersOf = (value: Computed): ArrayLike<number> => (isTensor(value) ? value.data : [value]);

function fold(x: ArrayLike<number>, step: (all: number, value: number) => number, start: number): number {
  let all = start;
  for (let i = 0; i < x.length; i++) all = step(all, x[i]!);
  return all;
}

function sum(x: ArrayLike<number>): number {
  return fold(x, (all, value) => all + value, 0);
}

function counted(x: ArrayLike<number>, fits: (value: number) => boolean): number {
  return fold(x, (all, value) => all + Number(fits(value)), 0);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let all = 0;
  for (let i = 0; i < a.length; i++) all += a[i]! * b[i]!;
  return all;
}
