/** Element-wise operations in ONNX. */
import type { OnnxWriter } from '../writer.ts';
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
  if (writer.has('QuickGelu')) return [writer.ortOp('QuickGelu', [x], { alpha: { float: 1 } })];
  return [writer.op('Mul', [x, writer.op('Sigmoid', [x])])];
};

/** dy * (s + x s (1 - s)), s = sigmoid(x); with y = x s that is dy * (y + s (1 - y)), one pass less. */
const siluGrad: Lowering = (writer, _node, [x, y, dy]) => {
  const s = writer.op('Sigmoid', [x]);
  const rest = writer.op('Sub', [writer.scalar(1), y]);
  return [writer.op('Mul', [dy, writer.op('Add', [y, writer.op('Mul', [s, rest])])])];
};

/** x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2. */
const gelu: Lowering = (writer, _node, [x]) => {
  if (writer.has('Gelu')) return [writer.ortOp('Gelu', [x])];
  return [writer.op('Mul', [x, normalDistribution(writer, x)])];
};

/** dy (Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)). */
const geluGrad: Lowering = (writer, _node, [x, dy]) => {
  const exponent = writer.op('Mul', [writer.op('Mul', [x, x]), writer.scalar(-0.5)]);
  const density = writer.op('Mul', [writer.op('Exp', [exponent]), writer.scalar(1 / Math.sqrt(2 * Math.PI))]);
  const slope = writer.op('Add', [normalDistribution(writer, x), writer.op('Mul', [x, density])]);
  return [writer.op('Mul', [dy, slope])];
};

function normalDistribution(writer: OnnxWriter, x: string): string {
  const erf = writer.op('Erf', [writer.op('Mul', [x, writer.scalar(Math.SQRT1_2)])]);
  return writer.op('Mul', [writer.op('Add', [erf, writer.scalar(1)]), writer.scalar(0.5)]);
}

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
  gelu,
  geluGrad,
};
