/** Reductions and operations that move numbers, in ONNX. */
import { sizeOf } from '../../tensor-data.ts';
import type { Lowering, Lowerings } from './lowering.ts';

const reduction =
  (opType: 'ReduceSum' | 'ReduceMean' | 'ReduceMax'): Lowering =>
  (writer, node, [x]) => {
    const axes = node.attrs.axes as number[];
    return [axes.length === 0 ? x : writer.reduce(opType, x, axes, node.attrs.keepDims as boolean)];
  };

const slice: Lowering = (writer, node, [x]) => {
  const starts = node.attrs.starts as number[];
  const ends = node.attrs.ends as number[];
  const { shape } = node.inputs[0];
  const axes = shape.flatMap((dim, i) => (starts[i] === 0 && ends[i] === dim ? [] : [i]));
  const pick = (values: number[]) => writer.ints(axes.map((axis) => values[axis]));
  return [axes.length === 0 ? x : writer.op('Slice', [x, pick(starts), pick(ends), writer.ints(axes)])];
};

/** value + 0 * (first number of the trigger): unchanged, but not computable before the trigger. */
const barrier: Lowering = (writer, node, [value, trigger]) => {
  const flat = writer.reshape(trigger, [sizeOf(node.inputs[1].shape)]);
  const first = writer.op('Slice', [flat, writer.ints([0]), writer.ints([1]), writer.ints([0])]);
  const zero = writer.op('Mul', [writer.reshape(first, []), writer.scalar(0)]);
  return [writer.op('Add', [value, zero])];
};

export const layoutLowerings: Lowerings = {
  sum: reduction('ReduceSum'),
  mean: reduction('ReduceMean'),
  max: reduction('ReduceMax'),
  reshape: (writer, node, [x]) => [writer.reshape(x, node.attrs.shape as number[])],
  transpose: (writer, node, [x]) => [writer.transpose(x, [...(node.attrs.perm as number[])])],
  broadcastTo: (writer, node, [x]) => [writer.op('Expand', [x, writer.ints(node.attrs.shape as number[])])],
  slice,
  widen: (writer, _node, [x]) => [writer.widened(x)],
  concat: (writer, node, inputs) => [writer.op('Concat', inputs, { axis: node.attrs.axis as number })],
  pad: (writer, node, [x]) => {
    const amounts = [...(node.attrs.before as number[]), ...(node.attrs.after as number[])];
    return [writer.op('Pad', [x, writer.ints(amounts)])];
  },
  barrier,
};
