/** Matrix products and softmax in ONNX. */
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

export const matmulLowerings: Lowerings = {
  matmul,
  softmax: (writer, _node, [x]) => [writer.op('Softmax', [x], { axis: -1 })],
};
