/**
 * Attention over tokens in ONNX: one operator where the device has it and its memory suffices; written out, in parts
 * (attention-parts.ts).
 */
import type { Node } from '../../graph.ts';
import type { OnnxWriter } from '../writer.ts';
import {
  backwardTables,
  type Cut,
  fits,
  forwardTables,
  inParts,
  portionOf,
  type TableSize,
} from './attention-parts.ts';
import type { Lowering, Lowerings } from './lowering.ts';
import { product } from './product.ts';

/** Far below every score, yet finite. */
const masked = -1e30;

const headAttention: Lowering = (writer, node, inputs) => {
  const { heads, causal, scale } = attributesOf(node);
  if (!causal && isFused(writer, sizeOfTable(node))) return [fusedAttention(writer, inputs, heads, scale)];
  const [q, k, v] = inputs.map((input, i) => byHead(writer, input, node, i));
  const values: Cut[] = [
    [q, 1],
    [k, null],
    [v, null],
  ];
  const [result] = inParts(writer, sizeOfTable(node), forwardTables, values, [1], ([q, k, v], queries) => [
    product(writer, softmaxWeights(writer, node, q, k, queries), v, {}),
  ]);
  return [apart(writer, result, node, 0)];
};

/**
 * With W the weights: dv = W^T dy; dW = dy v^T; d scores = W (dW - sum over keys of dW W), and that sum is also
 * sum over channels of dy y.
 */
const headAttentionGrad: Lowering = (writer, node, inputs) => {
  const { scale: alpha } = attributesOf(node);
  const axes = [1, null, null, 1, 1];
  const values = inputs.map((input, i): Cut => [byHead(writer, input, node, i), axes[i]]);
  const size = sizeOfTable(node);
  const results = inParts(writer, size, backwardTables, values, [1, null, null], ([q, k, v, y, dy], queries) => {
    const weights = softmaxWeights(writer, node, q, k, queries);
    const dv = product(writer, weights, dy, { transA: true });
    const inner = writer.reduce('ReduceSum', writer.op('Mul', [dy, y]), [2]);
    const dWeights = product(writer, dy, v, { transB: true });
    const dScores = writer.op('Mul', [weights, writer.op('Sub', [dWeights, inner])]);
    return [product(writer, dScores, k, { alpha }), product(writer, dScores, q, { transA: true, alpha }), dv];
  });
  return results.map((result, i) => apart(writer, result, node, i));
};

/** Whether one operator computes the result: there is one, and it has the memory that it takes. */
export function isFused(writer: OnnxWriter, size: TableSize): boolean {
  if (!writer.has('MultiHeadAttention')) return false;
  return writer.can.streamsAttention || fits(size, portionOf(writer.can, size, forwardTables));
}

/** [B, L, heads * D] -> [B, L, heads * D] */
export function fusedAttention(writer: OnnxWriter, inputs: string[], heads: number, scale: number): string {
  return writer.ortOp('MultiHeadAttention', inputs, { num_heads: heads, scale: { float: scale } });
}

function attributesOf(node: Node) {
  return node.attrs as unknown as { heads: number; scale: number; causal: boolean };
}

function sizeOfTable(node: Node): TableSize {
  const [q, k] = node.inputs.map(({ shape }) => shape);
  return { heads: q[0] * attributesOf(node).heads, queries: q[1], keys: k[1] };
}

/** softmax(scale q k^T), [N, queries, Lk]; the queries are those from the first to before the last of all. */
function softmaxWeights(writer: OnnxWriter, node: Node, q: string, k: string, [first, end]: [number, number]): string {
  const { scale: alpha, causal } = attributesOf(node);
  let scores = product(writer, q, k, { transB: true, alpha });
  if (causal) {
    const length = node.inputs[0].shape[1];
    const key = `causal ${first} ${end} ${length}`;
    const mask = writer.shared(key, [1, end - first, length], () => causalMask(first, end, length));
    scores = writer.op('Add', [scores, mask]);
  }
  return writer.op('Softmax', [scores], { axis: 2 });
}

/** No token sees a later one. */
function causalMask(first: number, end: number, length: number): Float32Array {
  const mask = new Float32Array((end - first) * length);
  for (let i = first; i < end; i++) mask.fill(masked, (i - first) * length + i + 1, (i - first + 1) * length);
  return mask;
}

/** An input [B, L, C] in heads: [B * heads, L, C / heads]. */
function byHead(writer: OnnxWriter, value: string, node: Node, input: number): string {
  const { heads } = attributesOf(node);
  const [batch, length, channels] = node.inputs[input].shape;
  const split = writer.reshape(value, [batch, length, heads, channels / heads]);
  return writer.reshape(writer.transpose(split, [0, 2, 1, 3]), [batch * heads, length, channels / heads]);
}

/** [B * heads, L, D] -> the node's output, [B, L, heads * D]. */
function apart(writer: OnnxWriter, result: string, node: Node, output: number): string {
  const { heads } = attributesOf(node);
  const [batch, length, channels] = node.outputs[output].shape;
  const split = writer.reshape(result, [batch, heads, length, channels / heads]);
  return writer.reshape(writer.transpose(split, [0, 2, 1, 3]), [batch, length, channels]);
}

export const headAttentionLowerings: Lowerings = { headAttention, headAttentionGrad };
