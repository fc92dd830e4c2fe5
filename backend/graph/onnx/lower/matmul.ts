/** Matrix products, softmax and attention in ONNX. */
import type { Lowering, Lowerings } from './lowering.ts';
import { product } from './product.ts';

const matmul: Lowering = (writer, node, [a, b]) => {
  const [shapeA, shapeB] = node.inputs.map((input) => input.shape);
  const { transA, transB } = node.attrs as { transA: boolean; transB: boolean };
  if (shapeA.length === shapeB.length) return [product(writer, a, b, { transA, transB, rank: shapeA.length })];
  const [left, right] = [transA, transB].map((transposed, i) => {
    const rank = node.inputs[i].shape.length;
    if (!transposed) return [a, b][i];
    const perm = [...Array(rank).keys()];
    perm.push(...perm.splice(rank - 2, 2).reverse());
    return writer.transpose([a, b][i], perm);
  });
  return [writer.op('MatMul', [left, right])];
};

/** weights = softmax(scale q^T k) [N, Lq, Lk]; result = v weights^T [N, Dv, Lq]. */
const attention: Lowering = (writer, node, [q, k, v]) => {
  const alpha = node.attrs.scale as number;
  const weights = writer.op('Softmax', [product(writer, q, k, { transA: true, alpha })], { axis: 2 });
  return [product(writer, v, weights, { transB: true }), weights];
};

const attentionGrad: Lowering = (writer, node, [q, k, v, weights, dy]) => {
  const alpha = node.attrs.scale as number;
  const dv = product(writer, dy, weights, {});
  const dWeights = product(writer, dy, v, { transA: true });
  const inner = writer.reduce('ReduceSum', writer.op('Mul', [dWeights, weights]), [2]);
  const dScores = writer.op('Mul', [weights, writer.op('Sub', [dWeights, inner])]);
  return [product(writer, k, dScores, { transB: true, alpha }), product(writer, q, dScores, { alpha }), dv];
};

export const matmulLowerings: Lowerings = {
  matmul,
  attention,
  attentionGrad,
  softmax: (writer, _node, [x]) => [writer.op('Softmax', [x], { axis: -1 })],
};
