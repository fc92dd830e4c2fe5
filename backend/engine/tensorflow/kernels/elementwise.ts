/** Element-wise operations. */
import type { Kernel, Kernels, Tensor, Tf } from './kernel.ts';

const unary =
  (compute: (tf: Tf, x: Tensor) => Tensor): Kernel =>
  (tf, [x]) =>
    compute(tf, x);
const binary =
  (compute: (tf: Tf, a: Tensor, b: Tensor) => Tensor): Kernel =>
  (tf, [a, b]) =>
    compute(tf, a, b);

/** (1 + erf(x / sqrt 2)) / 2. */
const normalDistribution = (tf: Tf, x: Tensor) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

export const elementwiseKernels: Kernels = {
  neg: unary((tf, x) => tf.neg(x)),
  exp: unary((tf, x) => tf.exp(x)),
  log: unary((tf, x) => tf.log(x)),
  sqrt: unary((tf, x) => tf.sqrt(x)),
  sin: unary((tf, x) => tf.sin(x)),
  cos: unary((tf, x) => tf.cos(x)),
  abs: unary((tf, x) => tf.abs(x)),
  sign: unary((tf, x) => tf.sign(x)),
  sigmoid: unary((tf, x) => tf.sigmoid(x)),
  tanh: unary((tf, x) => tf.tanh(x)),
  relu: unary((tf, x) => tf.relu(x)),
  silu: unary((tf, x) => tf.mul(x, tf.sigmoid(x))),
  gelu: unary((tf, x) => tf.mul(x, normalDistribution(tf, x))),
  detach: unary((tf, x) => tf.clone(x)),
  add: binary((tf, a, b) => tf.add(a, b)),
  sub: binary((tf, a, b) => tf.sub(a, b)),
  mul: binary((tf, a, b) => tf.mul(a, b)),
  div: binary((tf, a, b) => tf.div(a, b)),
  maximum: binary((tf, a, b) => tf.maximum(a, b)),
  minimum: binary((tf, a, b) => tf.minimum(a, b)),
  greater: binary((tf, a, b) => tf.cast(tf.greater(a, b), 'float32')),
  equal: binary((tf, a, b) => tf.cast(tf.equal(a, b), 'float32')),
  // d/dx x s(x) = s + x s (1 - s), where s is the sigmoid.
  siluGrad: (tf, [x, , dy]) => {
    const s = tf.sigmoid(x);
    return tf.mul(dy, tf.add(s, tf.mul(x, tf.mul(s, tf.sub(1, s)))));
  },
  // d/dx x Phi(x) = Phi(x) + x times the normal density.
  geluGrad: (tf, [x, dy]) => {
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return tf.mul(dy, tf.add(normalDistribution(tf, x), tf.mul(x, density)));
  },
  // Nodes run one by one in the graph's order, so the trigger is already there.
  barrier: unary((tf, value) => tf.clone(value)),
};
