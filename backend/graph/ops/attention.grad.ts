/** Gradients of attention and softmax, from the saved softmax weights. */
import { attentionGradOp } from './attention.ts';
import { mul, sub } from './elementwise.ts';
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { sum } from './reduce.ts';

export const attentionGradients: GradientRules = {
  attention: rule1(({ inputs: [q, k, v], outputs, attrs }, dy) =>
    q.graph.apply(attentionGradOp, [q, k, v, outputs[1], dy], attrs),
  ),
  softmax: rule1(({ outputs: [y] }, dy) => [mul(y, sub(dy, sum(mul(dy, y), { axes: [-1], keepDims: true })))]),
};
