/** Matrix products, softmax and attention. */
import type { Kernel, Kernels, Tensor, Tf } from './kernel.ts';

/** The last two axes as matrices, every leading axis broadcast and folded into one. */
function asMatrices(tf: Tf, x: Tensor, leading: readonly number[]): Tensor {
  const matrix = x.shape.slice(-2);
  return tf.reshape(tf.broadcastTo(x, [...leading, ...matrix]), [-1, ...matrix]);
}

const matmul: Kernel = (tf, [a, b], attrs) => {
  const leading = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const product = tf.matMul(
    asMatrices(tf, a, leading),
    asMatrices(tf, b, leading),
    attrs.transA as boolean,
    attrs.transB as boolean,
  );
  return tf.reshape(product, [...leading, ...product.shape.slice(-2)]);
};

/** Over the last axis; shifted by the maximum, so that no exponential overflows. */
function softmax(tf: Tf, x: Tensor): Tensor {
  const unnormalized = tf.exp(tf.sub(x, tf.max(x, -1, true)));
  return tf.div(unnormalized, tf.sum(unnormalized, -1, true));
}

/** weights[n, i, j] = softmax over j of scale q[n, :, i] . k[n, :, j]; result[n, :, i] = sum_j weights[n, i, j] v[n, :, j]. */
const attention: Kernel = (tf, [q, k, v], attrs) => {
  const weights = softmax(tf, tf.mul(tf.matMul(q, k, true, false), attrs.scale as number));
  return [tf.matMul(v, weights, false, true), weights];
};

const attentionGrad: Kernel = (tf, [q, k, v, weights, dy], attrs) => {
  const scale = attrs.scale as number;
  const dv = tf.matMul(dy, weights);
  const dWeights = tf.matMul(dy, v, true, false);
  const expected = tf.sum(tf.mul(dWeights, weights), -1, true);
  const dScores = tf.mul(tf.mul(weights, tf.sub(dWeights, expected)), scale);
  return [tf.matMul(k, dScores, false, true), tf.matMul(q, dScores), dv];
};

export const productKernels: Kernels = { matmul, softmax: (tf, [x]) => softmax(tf, x), attention, attentionGrad };
