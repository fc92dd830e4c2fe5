/** Element-wise operations in ONNX. */
import type { Lowering, Lowerings } from './lowering.ts';

const direct =
  (opType: string): Lowering =>
  (writer, _node, inputs) => [writer.op(opType, inputs)];

/** Comparisons give booleans in ONNX and numbers here. */
const comparison =
  (opType: string): Lowering =>
  (writer, _node, inputs) => [writer.op('Cast', [writer.op(opType, inputs)], { to: 1 })];

const silu: Lowering = (writer, _node, [x]) => {
  // QuickGelu(alpha = 1) is x * sigmoid(x) in one pass.
  if (writer.target === 'ort-cpu') return [writer.ortOp('QuickGelu', [x], { alpha: { float: 1 } })];
  return [writer.op('Mul', [x, writer.op('Sigmoid', [x])])];
};

/** dy * (s + x s (1 - s)), s = sigmoid(x); with y = x s that is dy * (y + s (1 - y)), one pass less. */
const siluGrad: Lowering = (writer, _node, [x, y, dy]) => {
  const s = writer.op('Sigmoid', [x]);
  const rest = writer.op('Sub', [writer.scalar(1), y]);
  return [writer.op('Mul', [dy, writer.op('Add', [y, writer.op('Mul', [s, rest])])])];
};

export const elementwiseLowerings: Lowerings = {
  neg: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  sin: direct('Sin'),
  cos: direct('Cos'),
  abs: direct('Abs'),
  sign: direct('Sign'),
  sigmoid: direct('Sigmoid'),
  tanh: direct('Tanh'),
  relu: direct('Relu'),
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  maximum: direct('Max'),
  minimum: direct('Min'),
  greater: comparison('Greater'),
  equal: comparison('Equal'),
  silu,
  siluGrad,
};
