/** Gradients of the reductions. */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { reducedShape } from '../shapes.ts';
import { sizeOf } from '../tensor-data.ts';
import { div, equal, mul } from './elementwise.ts';
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { broadcastTo, reshape } from './layout.ts';
import { sum } from './reduce.ts';

/** Gives a reduced tensor its lost axes back (size 1), so that it broadcasts against the input. */
function withAxes(reduced: Tensor, input: Shape, attrs: Attributes): Tensor {
  return reshape(reduced, reducedShape(input, attrs.axes as number[], true));
}

export const reduceGradients: GradientRules = {
  sum: rule1((node, dy) => {
    const { shape } = node.inputs[0];
    return [broadcastTo(withAxes(dy, shape, node.attrs), shape)];
  }),
  mean: rule1((node, dy) => {
    const { shape } = node.inputs[0];
    const count = sizeOf(shape) / sizeOf(dy.shape);
    return [broadcastTo(div(withAxes(dy, shape, node.attrs), count), shape)];
  }),
  // Equal maxima share the gradient evenly.
  max: rule1((node, dy) => {
    const [x] = node.inputs;
    const isMax = equal(x, withAxes(node.outputs[0], x.shape, node.attrs));
    const ties = sum(isMax, { axes: node.attrs.axes as number[], keepDims: true });
    return [mul(isMax, div(withAxes(dy, x.shape, node.attrs), ties))];
  }),
};
