/** Gradients of the convolution and, since those are linear, of its gradients. */
import type { Attributes, Tensor } from '../graph.ts';
import { conv2dInputGradOp, conv2dOp, conv2dWeightGradOp } from './conv.ts';
import { apply1 } from './define.ts';
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { sum } from './reduce.ts';

const geometry = ({ stride, padding, groups }: Attributes): Attributes => ({ stride, padding, groups });

const forward = (x: Tensor, w: Tensor, attrs: Attributes) => apply1(conv2dOp, [x, w], geometry(attrs));
const inputGrad = (dy: Tensor, w: Tensor, x: Tensor, attrs: Attributes) =>
  apply1(conv2dInputGradOp, [dy, w], { ...geometry(attrs), shape: x.shape });
const weightGrad = (x: Tensor, dy: Tensor, w: Tensor, attrs: Attributes) =>
  apply1(conv2dWeightGradOp, [x, dy], { ...geometry(attrs), shape: w.shape });

export const convGradients: GradientRules = {
  conv2d: rule1(({ inputs: [x, w], attrs }, dy, needed) => [
    needed[0] ? inputGrad(dy, w, x, attrs) : null,
    needed[1] ? weightGrad(x, dy, w, attrs) : null,
    needed[2] ? sum(dy, { axes: [0, 2, 3] }) : null,
  ]),
  conv2dInputGrad: rule1(({ inputs: [dy, w], attrs }, ddx, needed) => [
    needed[0] ? forward(ddx, w, attrs) : null,
    needed[1] ? weightGrad(ddx, dy, w, attrs) : null,
  ]),
  conv2dWeightGrad: rule1(({ inputs: [x, dy], attrs }, ddw, needed) => [
    needed[0] ? inputGrad(dy, ddw, x, attrs) : null,
    needed[1] ? forward(x, ddw, attrs) : null,
  ]),
};
