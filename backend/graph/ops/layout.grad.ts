/** Gradients of the operations that only move numbers. */
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { pad, reshape, slice, sliceAxis, transpose } from './layout.ts';
import { sumTo } from './reduce.ts';

export const layoutGradients: GradientRules = {
  reshape: rule1((node, dy) => [reshape(dy, node.inputs[0].shape)]),
  transpose: rule1((node, dy) => {
    const perm = node.attrs.perm as number[];
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    return [transpose(dy, inverse)];
  }),
  broadcastTo: rule1((node, dy) => [sumTo(dy, node.inputs[0].shape)]),
  slice: rule1((node, dy) => {
    const ends = node.attrs.ends as number[];
    const after = node.inputs[0].shape.map((dim, i) => dim - ends[i]);
    return [pad(dy, node.attrs.starts as number[], after)];
  }),
  // What is not held as float32 is frozen.
  widen: null,
  concat: rule1((node, dy, needed) => {
    const axis = node.attrs.axis as number;
    let end = 0;
    return node.inputs.map((input, i) => {
      const start = end;
      end += input.shape[axis];
      return needed[i] ? sliceAxis(dy, axis, start, end) : null;
    });
  }),
  pad: rule1((node, dy) => {
    const before = node.attrs.before as number[];
    const ends = node.inputs[0].shape.map((dim, i) => before[i] + dim);
    return [slice(dy, before, ends)];
  }),
};
