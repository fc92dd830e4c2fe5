/** Reductions and operations that only move numbers. */
import { type Kernel, type Kernels, mutable } from './kernel.ts';

const reduction =
  (name: 'sum' | 'mean' | 'max'): Kernel =>
  (tf, [x], { axes, keepDims }) => {
    // TensorFlow.js takes an empty list of axes for "all".
    if ((axes as number[]).length === 0) return tf.clone(x);
    return tf[name](x, axes as number[], keepDims as boolean);
  };

export const layoutKernels: Kernels = {
  sum: reduction('sum'),
  mean: reduction('mean'),
  max: reduction('max'),
  reshape: (tf, [x], { shape }) => tf.reshape(x, mutable(shape as number[])),
  transpose: (tf, [x], { perm }) => tf.transpose(x, mutable(perm as number[])),
  broadcastTo: (tf, [x], { shape }) => tf.broadcastTo(x, mutable(shape as number[])),
  slice: (tf, [x], attrs) => {
    if (x.rank === 0) return tf.clone(x);
    const starts = attrs.starts as number[];
    const ends = attrs.ends as number[];
    return tf.slice(
      x,
      starts,
      ends.map((end, i) => end - starts[i]),
    );
  },
  // It holds everything as float32.
  widen: (tf, [x]) => tf.clone(x),
  concat: (tf, inputs, { axis }) => tf.concat(inputs, axis as number),
  pad: (tf, [x], attrs) => {
    const before = attrs.before as number[];
    const after = attrs.after as number[];
    return tf.pad(
      x,
      before.map((amount, i): [number, number] => [amount, after[i]]),
    );
  },
};
