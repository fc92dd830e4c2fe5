/** Gradients of the element-wise operations; those of broadcast operands are summed back to the operand's shape. */
import type { Tensor } from '../graph.ts';
import { cos, div, geluGrad, greater, mul, neg, sign, siluGrad, sin, sub } from './elementwise.ts';
import { type GradientRule, type GradientRules, rule1 } from './gradient-rule.ts';
import { sumTo } from './reduce.ts';

function unary(rule: (x: Tensor, y: Tensor, dy: Tensor) => Tensor): GradientRule {
  return rule1((node, dy) => [rule(node.inputs[0], node.outputs[0], dy)]);
}

type Partial = (a: Tensor, b: Tensor, y: Tensor, dy: Tensor) => Tensor;

function binary(...partials: readonly [Partial, Partial]): GradientRule {
  return rule1((node, dy, needed) =>
    node.inputs.map((input, i) => {
      const [a, b] = node.inputs;
      return needed[i] ? sumTo(partials[i](a, b, node.outputs[0], dy), input.shape) : null;
    }),
  );
}

const pass: Partial = (_a, _b, _y, dy) => dy;

export const elementwiseGradients: GradientRules = {
  neg: unary((_x, _y, dy) => neg(dy)),
  exp: unary((_x, y, dy) => mul(dy, y)),
  log: unary((x, _y, dy) => div(dy, x)),
  sqrt: unary((_x, y, dy) => div(mul(dy, 0.5), y)),
  sin: unary((x, _y, dy) => mul(dy, cos(x))),
  cos: unary((x, _y, dy) => neg(mul(dy, sin(x)))),
  abs: unary((x, _y, dy) => mul(dy, sign(x))),
  sigmoid: unary((_x, y, dy) => mul(dy, mul(y, sub(1, y)))),
  tanh: unary((_x, y, dy) => mul(dy, sub(1, mul(y, y)))),
  relu: unary((x, _y, dy) => mul(dy, greater(x, 0))),
  silu: unary(siluGrad),
  gelu: unary((x, _y, dy) => geluGrad(x, dy)),
  add: binary(pass, pass),
  sub: binary(pass, (_a, _b, _y, dy) => neg(dy)),
  mul: binary(
    (_a, b, _y, dy) => mul(dy, b),
    (a, _b, _y, dy) => mul(dy, a),
  ),
  div: binary(
    (_a, b, _y, dy) => div(dy, b),
    (_a, b, y, dy) => neg(div(mul(dy, y), b)),
  ),
  // Where both are equal the gradient goes to the first operand.
  maximum: binary(
    (a, b, _y, dy) => mul(dy, sub(1, greater(b, a))),
    (a, b, _y, dy) => mul(dy, greater(b, a)),
  ),
  minimum: binary(
    (a, b, _y, dy) => mul(dy, sub(1, greater(a, b))),
    (a, b, _y, dy) => mul(dy, greater(a, b)),
  ),
  sign: null,
  greater: null,
  equal: null,
  detach: null,
};
