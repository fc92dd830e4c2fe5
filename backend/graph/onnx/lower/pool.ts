/** Pooling in ONNX. */
import type { Lowering, Lowerings } from './lowering.ts';

const pool =
  (opType: 'MaxPool' | 'AveragePool'): Lowering =>
  (writer, node, [x]) => {
    const { size, stride, padding } = node.attrs as { size: number; stride: number; padding: number };
    const window = { kernel_shape: [size, size], strides: [stride, stride] };
    const counted = opType === 'AveragePool' ? { count_include_pad: 0 } : {};
    return [writer.op(opType, [x], { ...window, pads: [padding, padding, padding, padding], ...counted })];
  };

export const poolLowerings: Lowerings = { maxPool2d: pool('MaxPool'), averagePool2d: pool('AveragePool') };
