/** Operations that only move numbers: reshape, transpose, broadcast, slice, concat, pad; and widen, which changes how they are held. */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { broadcastShapes, sameShape } from '../shapes.ts';
import { sizeOf } from '../tensor-data.ts';
import { apply1, defineOp, sameAsFirst } from './define.ts';

const reshapeOp = defineOp('reshape', inferReshape);
const transposeOp = defineOp('transpose', inferTranspose);
const broadcastOp = defineOp('broadcastTo', inferBroadcast);
const sliceOp = defineOp('slice', inferSlice, ([type]) => type);
/** Any number type as float32. */
export const widenOp = defineOp('widen', sameAsFirst, () => 'float32');
const concatOp = defineOp('concat', inferConcat);
const padOp = defineOp('pad', inferPad);

function inferTranspose([x]: readonly Shape[], attrs: Attributes): Shape[] {
  const perm = attrs.perm as number[];
  if (perm.length !== x.length || perm.some((_, i) => !perm.includes(i))) {
    throw new Error(`[${perm}] is not a permutation of ${x.length} axes`);
  }
  return [perm.map((axis) => x[axis])];
}

function inferPad([x]: readonly Shape[], attrs: Attributes): Shape[] {
  const before = attrs.before as number[];
  const after = attrs.after as number[];
  if (before.length !== x.length || after.length !== x.length) throw new Error('pad needs one amount per axis');
  return [x.map((dim, i) => dim + before[i] + after[i])];
}

function inferReshape([x]: readonly Shape[], attrs: Attributes): Shape[] {
  const shape = attrs.shape as number[];
  if (sizeOf(shape) !== sizeOf(x)) throw new Error(`[${x}] cannot become [${shape}]`);
  return [shape];
}

function inferBroadcast([x]: readonly Shape[], attrs: Attributes): Shape[] {
  const shape = attrs.shape as number[];
  if (!sameShape(broadcastShapes(x, shape), shape)) throw new Error(`[${x}] does not broadcast to [${shape}]`);
  return [shape];
}

function inferSlice([x]: readonly Shape[], attrs: Attributes): Shape[] {
  const starts = attrs.starts as number[];
  const ends = attrs.ends as number[];
  if (starts.length !== x.length || ends.length !== x.length) throw new Error('slice needs one range per axis');
  x.forEach((dim, i) => {
    if (!(0 <= starts[i] && starts[i] < ends[i] && ends[i] <= dim)) {
      throw new Error(`range ${starts[i]}..${ends[i]} is outside axis ${i} of size ${dim}`);
    }
  });
  return [x.map((_, i) => ends[i] - starts[i])];
}

function inferConcat(inputs: readonly Shape[], attrs: Attributes): Shape[] {
  const axis = attrs.axis as number;
  const [first] = inputs;
  for (const shape of inputs) {
    const fits = shape.length === first.length && shape.every((dim, i) => i === axis || dim === first[i]);
    if (!fits) throw new Error(`shapes differ outside axis ${axis}`);
  }
  const total = inputs.reduce((length, shape) => length + shape[axis], 0);
  return [first.map((dim, i) => (i === axis ? total : dim))];
}

export function reshape(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply1(reshapeOp, [x], { shape: [...shape] });
}

/** Output axis i is input axis perm[i]. */
export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  return perm.every((axis, i) => axis === i) ? x : apply1(transposeOp, [x], { perm: [...perm] });
}

export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply1(broadcastOp, [x], { shape: [...shape] });
}

/** Elements starts[i] <= index < ends[i] on every axis. */
export function slice(x: Tensor, starts: readonly number[], ends: readonly number[]): Tensor {
  return apply1(sliceOp, [x], { starts: [...starts], ends: [...ends] });
}

/** The same numbers as float32. Of frozen weights held as float16 a slice at a time, so that they never exist whole in both. */
export function widen(x: Tensor): Tensor {
  return x.type === 'float32' ? x : apply1(widenOp, [x]);
}

/** `slice` along one axis only. */
export function sliceAxis(x: Tensor, axis: number, start: number, end: number): Tensor {
  const starts = x.shape.map((_, i) => (i === axis ? start : 0));
  const ends = x.shape.map((dim, i) => (i === axis ? end : dim));
  return slice(x, starts, ends);
}

export function concat(inputs: readonly Tensor[], axis: number): Tensor {
  return inputs.length === 1 ? inputs[0] : apply1(concatOp, inputs, { axis });
}

/** Adds zeros before and after on every axis. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if ([...before, ...after].every((amount) => amount === 0)) return x;
  return apply1(padOp, [x], { before: [...before], after: [...after] });
}
