/** What transformers need: layer normalisation, table look-up and attention with several heads over tokens [B, L, C]. */
import type { Tensor1D } from '@tensorflow/tfjs-core';
import type { Attributes } from '../../../graph/graph.ts';
import type { Kernel, Kernels, Tensor, Tf } from './kernel.ts';

const layerNorm: Kernel = (tf, [x, scale, shift], attrs) => {
  const average = tf.mean(x, -1, true);
  const centred = tf.sub(x, average);
  const variance = tf.mean(tf.square(centred), -1, true);
  const inverseStd = tf.div(1, tf.sqrt(tf.add(variance, attrs.epsilon as number)));
  return [tf.add(tf.mul(tf.mul(centred, inverseStd), scale), shift), average, inverseStd];
};

/** With n = r (x - mean): d loss / d x = r (dn - mean(dn) - n mean(dn n)), means over the row, dn = scale dy. */
const layerNormGrad: Kernel = (tf, [x, average, r, scale, dy]) => {
  const n = tf.mul(tf.sub(x, average), r);
  const dn = tf.mul(dy, scale);
  const through = tf.mul(n, tf.mean(tf.mul(dn, n), -1, true));
  const dx = tf.mul(r, tf.sub(tf.sub(dn, tf.mean(dn, -1, true)), through));
  const leading = x.shape.slice(0, -1).map((_, axis) => axis);
  return [dx, tf.sum(tf.mul(dy, n), leading), tf.sum(dy, leading)];
};

const idsOf = (tf: Tf, ids: Tensor): Tensor => tf.cast(ids, 'int32');

const embedding: Kernel = (tf, [table, ids]) => tf.gather(table, idsOf(tf, ids));

const embeddingGrad: Kernel = (tf, [ids, dy], attrs) => {
  const [rows, channels] = attrs.shape as number[];
  const flat = tf.reshape(idsOf(tf, ids), [-1]) as Tensor1D;
  return tf.unsortedSegmentSum(tf.reshape(dy, [-1, channels]), flat, rows);
};

interface Heads {
  heads: number;
  scale: number;
  causal: boolean;
}

const headsOf = (attrs: Attributes) => attrs as unknown as Heads;

/** [B, L, heads * D] -> [B, heads, L, D]. */
const split = (tf: Tf, x: Tensor, heads: number): Tensor =>
  tf.transpose(tf.reshape(x, [x.shape[0], x.shape[1]!, heads, x.shape[2]! / heads]), [0, 2, 1, 3]);

const joined = (tf: Tf, x: Tensor): Tensor =>
  tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [x.shape[0], x.shape[2]!, x.shape[1]! * x.shape[3]!]);

/** Softmax over the keys a query may see; the others get exactly 0. */
function weightsOf(tf: Tf, q: Tensor, k: Tensor, { scale, causal }: Heads): Tensor {
  const scores = tf.mul(tf.matMul(q, k, false, true), scale);
  const [queries, keys] = scores.shape.slice(-2);
  const seen = causal ? tf.linalg.bandPart(tf.ones([queries, keys]), -1, 0) : tf.ones([queries, keys]);
  const highest = tf.max(tf.where(tf.cast(seen, 'bool'), scores, -1e30), -1, true);
  const unnormalized = tf.mul(tf.exp(tf.minimum(tf.sub(scores, highest), 0)), seen);
  return tf.div(unnormalized, tf.sum(unnormalized, -1, true));
}

const headAttention: Kernel = (tf, inputs, attrs) => {
  const [q, k, v] = inputs.map((input) => split(tf, input, headsOf(attrs).heads));
  return joined(tf, tf.matMul(weightsOf(tf, q, k, headsOf(attrs)), v));
};

const headAttentionGrad: Kernel = (tf, inputs, attrs) => {
  const { heads, scale } = headsOf(attrs);
  const [q, k, v, , dy] = inputs.map((input) => split(tf, input, heads));
  const weights = weightsOf(tf, q, k, headsOf(attrs));
  const dWeights = tf.matMul(dy, v, false, true);
  const expected = tf.sum(tf.mul(dWeights, weights), -1, true);
  const dScores = tf.mul(tf.mul(weights, tf.sub(dWeights, expected)), scale);
  const gradients = [tf.matMul(dScores, k), tf.matMul(dScores, q, true, false), tf.matMul(weights, dy, true, false)];
  return gradients.map((gradient) => joined(tf, gradient));
};

export const tokenKernels: Kernels = {
  layerNorm,
  layerNormGrad,
  embedding,
  embeddingGrad,
  headAttention,
  headAttentionGrad,
};
