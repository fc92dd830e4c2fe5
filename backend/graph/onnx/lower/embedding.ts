/** Table look-up in ONNX. Ids become 32-bit integers, which WebGPU has too. */
import { sizeOf } from '../../tensor-data.ts';
import type { Lowering, Lowerings } from './lowering.ts';

const int32 = 6;
const int64 = 7;

const embedding: Lowering = (writer, _node, [table, ids]) => [
  writer.op('Gather', [table, writer.op('Cast', [ids], { to: int32 })], { axis: 0 }),
];

/** Each row is added to its place; else a product with one-hot rows, which needs no atomic additions. */
const embeddingGrad: Lowering = (writer, node, [ids, dy]) => {
  const [rows, channels] = node.attrs.shape as number[];
  const count = sizeOf(node.inputs[0].shape);
  const gradient = writer.reshape(dy, [count, channels]);
  if (writer.has('ScatterND')) {
    const zeros = writer.op('Expand', [writer.scalar(0), writer.ints([rows, channels])]);
    const places = writer.op('Cast', [writer.reshape(ids, [count, 1])], { to: int64 });
    return [writer.op('ScatterND', [zeros, places, gradient], { reduction: 'add' })];
  }
  const numbers = writer.shared(`numbers ${rows}`, [1, rows], () =>
    Float32Array.from({ length: rows }, (_, row) => row),
  );
  const oneHot = writer.op('Cast', [writer.op('Equal', [writer.reshape(ids, [count, 1]), numbers])], { to: 1 });
  return [writer.op('Gemm', [oneHot, gradient], { transA: 1 })];
};

export const embeddingLowerings: Lowerings = { embedding, embeddingGrad };
