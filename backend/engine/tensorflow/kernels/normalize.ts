/** Group normalisation without its affine part, over a [batch, groups, rest] view. */
import type { Kernel, Kernels } from './kernel.ts';

const normalizeGroups: Kernel = (tf, [x], attrs) => {
  const view = tf.reshape(x, [x.shape[0], attrs.groups as number, -1]);
  const centred = tf.sub(view, tf.mean(view, 2, true));
  const variance = tf.mean(tf.square(centred), 2, true);
  const inverseStd = tf.div(1, tf.sqrt(tf.add(variance, attrs.epsilon as number)));
  return [tf.reshape(tf.mul(centred, inverseStd), x.shape), tf.squeeze(inverseStd, [2])];
};

/** With y = (x - mean) r: d loss / d x = r (dy - mean(dy) - y mean(dy y)), means over the group. */
const normalizeGroupsGrad: Kernel = (tf, [normalized, inverseStd, gradient], attrs) => {
  const view = [normalized.shape[0], attrs.groups as number, -1];
  const y = tf.reshape(normalized, view);
  const dy = tf.reshape(gradient, view);
  const direct = tf.sub(dy, tf.mean(dy, 2, true));
  const throughStd = tf.mul(y, tf.mean(tf.mul(dy, y), 2, true));
  const dx = tf.mul(tf.sub(direct, throughStd), tf.expandDims(inverseStd, 2));
  return tf.reshape(dx, normalized.shape);
};

export const normalizeKernels: Kernels = { normalizeGroups, normalizeGroupsGrad };
