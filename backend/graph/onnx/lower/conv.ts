/**
 * Convolution and its gradients in ONNX. The input gradient of a stride-1 convolution is a convolution with the kernel
 * flipped and transposed; the weight gradient gathers shifted copies of the image (im2col) and is one matrix product.
 * Both are faster in ONNX Runtime than the textbook forms (measured: `npm run bench`).
 */
import type { Node } from '../../graph.ts';
import type { OnnxWriter } from '../writer.ts';
import type { Lowering, Lowerings } from './lowering.ts';

interface Geometry {
  stride: number;
  /** top, left, bottom, right */
  padding: number[];
  groups: number;
}

const geometryOf = (node: Node) => node.attrs as unknown as Geometry;

const conv2d: Lowering = (writer, node, inputs) => {
  const { stride, padding, groups } = geometryOf(node);
  const [, , kh, kw] = node.inputs[1].shape;
  const attributes = { strides: [stride, stride], pads: padding, group: groups, kernel_shape: [kh, kw] };
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
    return [writer.op('Conv', [dy, flipped(writer, w, node.inputs[1].shape)], attributes)];
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

/** Kernel [O, C, kh, kw] -> [C, O, kh, kw] turned by 180 degrees. */
function flipped(writer: OnnxWriter, w: string, [o, c, kh, kw]: readonly number[]): string {
  const swapped = writer.transpose(w, [1, 0, 2, 3]);
  const taps = kh * kw;
  if (taps === 1) return swapped;
  const order = writer.ints(Array.from({ length: taps }, (_, i) => taps - 1 - i));
  const turned = writer.op('Gather', [writer.reshape(swapped, [c, o, taps]), order], { axis: 2 });
  return writer.reshape(turned, [c, o, kh, kw]);
}

const weightGrad: Lowering = (writer, node, [x, dy]) => {
  const { groups } = geometryOf(node);
  const [, channels] = node.inputs[0].shape;
  const [, outChannels] = node.inputs[1].shape;
  const part = (value: string, perGroup: number, g: number) =>
    groups === 1 ? value : range(writer, value, 1, g * perGroup, (g + 1) * perGroup);
  const parts = Array.from({ length: groups }, (_, g) =>
    groupWeightGrad(writer, node, part(x, channels / groups, g), part(dy, outChannels / groups, g)),
  );
  return [groups === 1 ? parts[0] : writer.op('Concat', parts, { axis: 0 })];
};

function range(writer: OnnxWriter, x: string, axis: number, start: number, end: number, step = 1): string {
  return writer.op('Slice', [x, ...[start, end, axis, step].map((value) => writer.ints([value]))]);
}

/**
 * [O, C, kh, kw] for one group: dy [O, B*Ho*Wo] times the gathered image [B*Ho*Wo, kh*kw*C]. Gathering rows of channels
 * (NHWC) copies every number once and leaves both factors as the matrix product wants them.
 */
function groupWeightGrad(writer: OnnxWriter, node: Node, x: string, dy: string): string {
  const [out, channels, kh, kw] = node.attrs.shape as number[];
  const [batch, , outHeight, outWidth] = node.inputs[1].shape;
  const [, , height, width] = node.inputs[0].shape;
  const positions = batch * outHeight * outWidth;
  const rows = out / geometryOf(node).groups;
  const taps = kh * kw;
  let pixels = writer.reshape(writer.transpose(x, [0, 2, 3, 1]), [batch * height * width, channels]);
  const { indices, usesZero } = gatherIndices(node);
  if (usesZero)
    pixels = writer.op('Concat', [pixels, writer.floats([1, channels], new Float32Array(channels))], { axis: 0 });
  if (indices) pixels = writer.op('Gather', [pixels, writer.ints(indices)], { axis: 0 });
  const columns = writer.reshape(pixels, [positions, taps * channels]);
  const flatDy = writer.reshape(writer.transpose(dy, [1, 0, 2, 3]), [rows, positions]);
  const product = writer.op('Gemm', [flatDy, columns]);
  if (taps === 1) return writer.reshape(product, [rows, channels, 1, 1]);
  const byTap = writer.reshape(product, [rows, taps, channels]);
  return writer.reshape(writer.transpose(byTap, [0, 2, 1]), [rows, channels, kh, kw]);
}

/**
 * For every output position and tap, the row of the image [B*H*W, C] under it; the row after the last stands for the
 * zeros around the image. No indices where each position has one tap, the pixel itself.
 */
function gatherIndices(node: Node): { indices: number[] | null; usesZero: boolean } {
  const { stride, padding } = geometryOf(node);
  const [, , kh, kw] = node.attrs.shape as number[];
  const [batch, , outHeight, outWidth] = node.inputs[1].shape;
  const [, , height, width] = node.inputs[0].shape;
  if (kh === 1 && kw === 1 && stride === 1 && outHeight === height && outWidth === width) {
    return { indices: null, usesZero: false };
  }
  const indices: number[] = [];
  const zeroRow = batch * height * width;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const [row, column] = [y * stride + i - padding[0], x * stride + j - padding[1]];
            const inside = row >= 0 && row < height && column >= 0 && column < width;
            indices.push(inside ? (b * height + row) * width + column : zeroRow);
          }
        }
      }
    }
  }
  return { indices, usesZero: indices.includes(zeroRow) };
}

export const convLowerings: Lowerings = {
  conv2d,
  conv2dInputGrad: inputGrad,
  conv2dWeightGrad: weightGrad,
};
