/** Pooling in ONNX. */
import type { Lowering, Lowerings } from './lowering.ts';

const pool =
  (opType: 'MaxPool' | 'AveragePool', rest: Readonly<Record<string, number>>): Lowering =>
  (writer, node, [x]) => {
    const { size, stride, padding } = node.attrs as { size: number; stride: number; padding: number };
    const pads = [padding, padding, padding, padding];
    return [writer.op(opType, [x], { kernel_shape: [size, size], strides: [stride, stride], pads, ...rest })];
  };

export const poolLowerings: Lowerings = {
  maxPool2d: pool('MaxPool', {}),
  averagePool2d: pool('AveragePool', { count_include_pad: 0 }),
};
