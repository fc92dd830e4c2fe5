/** Attention with its channels first, [N, D, L], in ONNX: as attention over tokens (head-attention.ts), each of the N a head. */
import type { Node } from '../../graph.ts';
import { backwardTables, forwardTables, inParts, type TableSize } from './attention-parts.ts';
import { fusedAttention, isFused } from './head-attention.ts';
import type { Lowering, Lowerings } from './lowering.ts';
import { product } from './product.ts';

/** weights = softmax(scale q^T k) [N, Lq, Lk]; result = v weights^T [N, Dv, Lq]. Whole where something reads the weights. */
const attention: Lowering = (writer, node, inputs) => {
  const alpha = node.attrs.scale as number;
  const [, table] = node.outputs;
  const compute = ([q, k, v]: string[]) => {
    const weights = writer.op('Softmax', [product(writer, q, k, { transA: true, alpha })], { axis: 2 });
    return [product(writer, v, weights, { transB: true }), weights];
  };
  if (writer.needs(table)) return compute(inputs);
  const size = sizeOfTable(node);
  if (isFused(writer, size)) {
    const tokens = inputs.map((input) => writer.transpose(input, [0, 2, 1]));
    return [writer.transpose(fusedAttention(writer, tokens, 1, alpha), [0, 2, 1]), ''];
  }
  const [q, k, v] = inputs;
  return inParts(
    writer,
    size,
    forwardTables,
    [
      [q, 2],
      [k, null],
      [v, null],
    ],
    [2],
    (values) => compute(values).slice(0, 1),
  );
};

const attentionGrad: Lowering = (writer, node, [q, k, v, weights, dy]) => {
  const alpha = node.attrs.scale as number;
  const values = [
    [q, 2],
    [k, null],
    [v, null],
    [weights, 1],
    [dy, 2],
  ] as const;
  return inParts(writer, sizeOfTable(node), backwardTables, values, [2, null, null], ([q, k, v, weights, dy]) => {
    const dv = product(writer, dy, weights, {});
    const dWeights = product(writer, dy, v, { transA: true });
    const inner = writer.reduce('ReduceSum', writer.op('Mul', [dWeights, weights]), [2]);
    const dScores = writer.op('Mul', [weights, writer.op('Sub', [dWeights, inner])]);
    return [product(writer, k, dScores, { transB: true, alpha }), product(writer, q, dScores, { alpha }), dv];
  });
};

function sizeOfTable(node: Node): TableSize {
  const [q, k] = node.inputs.map(({ shape }) => shape);
  return { heads: q[0], queries: q[2], keys: k[2] };
}

export const attentionLowerings: Lowerings = { attention, attentionGrad };
