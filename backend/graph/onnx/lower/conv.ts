/**
 * Convolution and its input gradient in ONNX. The input gradient of a stride-1 convolution is a convolution with the
 * kernel flipped and transposed, which is faster in ONNX Runtime than the transposed convolution (docs/performance.md).
 */
import type { OnnxWriter } from '../writer.ts';
import { blockedConv, blockedKernel, blockedTurnedKernel, isBlocked } from './conv-blocked.ts';
import { geometryOf, weightGrad } from './conv-weight-grad.ts';
import type { Lowering, Lowerings } from './lowering.ts';

const conv2d: Lowering = (writer, node, inputs) => {
  const { stride, padding, groups } = geometryOf(node);
  const [, , kh, kw] = node.inputs[1].shape;
  const attributes = { strides: [stride, stride], pads: padding, group: groups, kernel_shape: [kh, kw] };
  const kernel = node.inputs[1];
  if (isBlocked(writer.can.channelBlock, kernel, groups)) {
    const [x, w, bias] = inputs;
    const blocked = writer.blockedInputs.has(w) ? w : blockedKernel(writer, w, kernel.shape);
    return [blockedConv(writer, x, blocked, bias ?? null, kernel.shape[0], attributes)];
  }
  return [writer.op('Conv', inputs, attributes)];
};

const inputGrad: Lowering = (writer, node, [dy, w]) => {
  const { stride, padding, groups } = geometryOf(node);
  const [, , kh, kw] = node.inputs[1].shape;
  const [, , height, width] = node.attrs.shape as number[];
  const [, , outHeight, outWidth] = node.inputs[0].shape;
  const [top, left] = [kh - 1 - padding[0], kw - 1 - padding[1]];
  const [bottom, right] = [height - outHeight - top + kh - 1, width - outWidth - left + kw - 1];
  if (stride === 1 && groups === 1 && Math.min(top, left, bottom, right) >= 0) {
    const attributes = { pads: [top, left, bottom, right], kernel_shape: [kh, kw] };
    const { shape } = node.inputs[1];
    const turned = turnedKernel(writer, w, shape);
    if (isBlocked(writer.can.channelBlock, node.inputs[1], groups)) {
      return [blockedConv(writer, dy, blockedTurnedKernel(writer, turned, shape), null, shape[1], attributes)];
    }
    const [o, c] = shape;
    const swapped = writer.transpose(writer.reshape(turned, [o * kh * kw, c]), [1, 0]);
    return [writer.op('Conv', [dy, writer.reshape(swapped, [c, o, kh, kw])], attributes)];
  }
  // What the transposed convolution falls short of the image is made up at the bottom and right.
  const extra = (size: number, out: number, kernel: number, before: number, after: number) =>
    size - ((out - 1) * stride + kernel - before - after);
  const output_padding = [
    extra(height, outHeight, kh, padding[0], padding[2]),
    extra(width, outWidth, kw, padding[1], padding[3]),
  ];
  const attributes = { strides: [stride, stride], pads: padding, group: groups, kernel_shape: [kh, kw] };
  return [writer.op('ConvTranspose', [dy, w], { ...attributes, output_padding })];
};

/** Kernel [O, C, kh, kw] turned by 180 degrees, as [O, kh*kw, C]. Rows of channels move far faster than single taps. */
function turnedKernel(writer: OnnxWriter, w: string, [o, c, kh, kw]: readonly number[]): string {
  const taps = kh * kw;
  const rows = writer.transpose(writer.reshape(w, [o, c, taps]), [0, 2, 1]);
  if (taps === 1) return rows;
  const order = writer.ints(Array.from({ length: taps }, (_, i) => taps - 1 - i));
  return writer.op('Gather', [rows, order], { axis: 1 });
}

export const convLowerings: Lowerings = {
  conv2d,
  conv2dInputGrad: inputGrad,
  conv2dWeightGrad: weightGrad,
};
