/** Group normalisation over a [batch, groups, channels of a group, positions] view. */
import type { Kernel, Kernels, Tensor, Tf } from './kernel.ts';

const grouped = (tf: Tf, x: Tensor, groups: number): Tensor =>
  tf.reshape(x, [x.shape[0], groups, x.shape[1]! / groups, -1]);

/** Scale or shift, [C] or [B, C], as it multiplies the view. */
const factors = (tf: Tf, factor: Tensor, groups: number): Tensor =>
  tf.reshape(factor, [factor.rank === 1 ? 1 : factor.shape[0], groups, factor.shape.at(-1)! / groups, 1]);

const groupNorm: Kernel = (tf, [x, scale, shift], attrs) => {
  const groups = attrs.groups as number;
  const view = grouped(tf, x, groups);
  const centred = tf.sub(view, tf.mean(view, [2, 3], true));
  const variance = tf.mean(tf.square(centred), [2, 3], true);
  const inverseStd = tf.div(1, tf.sqrt(tf.add(variance, attrs.epsilon as number)));
  const normal = tf.mul(centred, inverseStd);
  const result = tf.add(tf.mul(normal, factors(tf, scale, groups)), factors(tf, shift, groups));
  return [tf.reshape(result, x.shape), tf.reshape(centred, x.shape), tf.squeeze(inverseStd, [2, 3])];
};

const groupNormAgain: Kernel = (tf, [centred, inverseStd, scale, shift], attrs) => {
  const groups = attrs.groups as number;
  const normal = tf.mul(grouped(tf, centred, groups), tf.reshape(inverseStd, [...inverseStd.shape, 1, 1]));
  const result = tf.add(tf.mul(normal, factors(tf, scale, groups)), factors(tf, shift, groups));
  return [tf.reshape(result, centred.shape)];
};

/** With n = r (x - mean): d loss / d x = r (dn - mean(dn) - n mean(dn n)), means over the group, dn = scale dy. */
const groupNormGrad: Kernel = (tf, [centred, inverseStd, scale, gradient], attrs) => {
  const groups = attrs.groups as number;
  const r = tf.reshape(inverseStd, [...inverseStd.shape, 1, 1]);
  const n = tf.mul(grouped(tf, centred, groups), r);
  const dy = grouped(tf, gradient, groups);
  const dn = tf.mul(dy, factors(tf, scale, groups));
  const through = tf.mul(n, tf.mean(tf.mul(dn, n), [2, 3], true));
  const dx = tf.mul(r, tf.sub(tf.sub(dn, tf.mean(dn, [2, 3], true)), through));
  const perFactor = (each: Tensor) => tf.reshape(tf.sum(each, scale.rank === 1 ? [0, 3] : [3]), scale.shape);
  return [tf.reshape(dx, centred.shape), perFactor(tf.mul(dy, n)), perFactor(dy)];
};

export const normalizeKernels: Kernels = { groupNorm, groupNormAgain, groupNormGrad };
