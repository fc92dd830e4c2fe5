/**
 * Attention over tokens in ONNX. ONNX Runtime's own operator keeps no table of weights for long sequences; written out,
 * the heads are taken a few at a time, so that the tables of all of them never exist together.
 */
import type { Node } from '../../graph.ts';
import type { OnnxWriter } from '../writer.ts';
import type { Lowering, Lowerings } from './lowering.ts';
import { product } from './product.ts';

/** Softmax weights that may exist at a time, 32 MB; of one head there are as many as it takes. */
const mostWeights = 8 * 1024 * 1024;
/** Far below every score, yet finite. */
const masked = -1e30;

const headAttention: Lowering = (writer, node, inputs) => {
  const { heads, scale, causal } = attributesOf(node);
  if (writer.target === 'ort-cpu' && !causal) {
    return [writer.ortOp('MultiHeadAttention', inputs, { num_heads: heads, scale: { float: scale } })];
  }
  const [results] = perHeads(writer, node, inputs, ([q, k, v]) => [
    product(writer, softmaxWeights(writer, node, q, k), v, {}),
  ]);
  return [apart(writer, results, node, 0)];
};

/**
 * With W the weights: dv = W^T dy; dW = dy v^T; d scores = W (dW - sum over keys of dW W), and that sum is also
 * sum over channels of dy y.
 */
const headAttentionGrad: Lowering = (writer, node, inputs) => {
  const { scale: alpha } = attributesOf(node);
  const results = perHeads(writer, node, inputs, ([q, k, v, y, dy]) => {
    const weights = softmaxWeights(writer, node, q, k);
    const dv = product(writer, weights, dy, { transA: true });
    const inner = writer.reduce('ReduceSum', writer.op('Mul', [dy, y]), [2]);
    const dWeights = product(writer, dy, v, { transB: true });
    const dScores = writer.op('Mul', [weights, writer.op('Sub', [dWeights, inner])]);
    return [product(writer, dScores, k, { alpha }), product(writer, dScores, q, { transA: true, alpha }), dv];
  });
  return results.map((result, i) => apart(writer, result, node, i));
};

function attributesOf(node: Node) {
  return node.attrs as unknown as { heads: number; scale: number; causal: boolean };
}

/** softmax(scale q k^T), [N, Lq, Lk]. */
function softmaxWeights(writer: OnnxWriter, node: Node, q: string, k: string): string {
  const { scale: alpha, causal } = attributesOf(node);
  let scores = product(writer, q, k, { transB: true, alpha });
  if (causal) {
    const length = node.inputs[0].shape[1];
    const mask = writer.shared(`causal ${length}`, [1, length, length], () => causalMask(length));
    scores = writer.op('Add', [scores, mask]);
  }
  return writer.op('Softmax', [scores], { axis: 2 });
}

/** No token sees a later one. */
function causalMask(length: number): Float32Array {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(masked, i * length + i + 1, (i + 1) * length);
  return mask;
}

/** Inputs [B, L, C] cut into heads [B * heads, L, C / heads], as many at a time as the bound on weights allows. */
function perHeads(writer: OnnxWriter, node: Node, inputs: string[], compute: (inputs: string[]) => string[]): string[] {
  const { heads } = attributesOf(node);
  const all = inputs.map((input, i) => {
    const [batch, length, channels] = node.inputs[i].shape;
    const split = writer.reshape(input, [batch, length, heads, channels / heads]);
    return writer.reshape(writer.transpose(split, [0, 2, 1, 3]), [batch * heads, length, channels / heads]);
  });
  const [q, k] = node.inputs.map(({ shape }) => shape);
  const count = q[0] * heads;
  const atOnce = Math.max(1, Math.floor(mostWeights / (q[1] * k[1])));
  if (atOnce >= count) return compute(all);
  const parts: string[][] = [];
  for (let start = 0; start < count; start += atOnce) {
    const [from, to, axis] = [start, Math.min(count, start + atOnce), 0].map((value) => writer.ints([value]));
    parts.push(compute(all.map((input) => writer.op('Slice', [input, from, to, axis]))));
  }
  return parts[0].map((_, i) =>
    writer.op(
      'Concat',
      parts.map((part) => part[i]),
      { axis: 0 },
    ),
  );
}

/** [B * heads, L, D] -> the node's output, [B, L, heads * D]. */
function apart(writer: OnnxWriter, result: string, node: Node, output: number): string {
  const { heads } = attributesOf(node);
  const [batch, length, channels] = node.outputs[output].shape;
  const split = writer.reshape(result, [batch, heads, length, channels / heads]);
  return writer.reshape(writer.transpose(split, [0, 2, 1, 3]), [batch, length, channels]);
}

export const headAttentionLowerings: Lowerings = { headAttention, headAttentionGrad };
