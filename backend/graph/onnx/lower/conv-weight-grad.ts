/**
 * The weight gradient of a convolution in ONNX: a matrix product of shifted copies of the image and of the output's
 * gradient, in one of two forms (which is faster where: docs/performance.md).
 *
 * Gathered: im2col of the image in NHWC, every number kh*kw times, and one product over all positions.
 * Windows: both factors in flat rows with zeros in between, so that a shift is a contiguous slice. The image is shifted
 * sideways, the gradient up and down: kw + kh copies instead of kh*kw.
 */
import type { Node } from '../../graph.ts';
import type { OnnxWriter } from '../writer.ts';
import type { Lowering } from './lowering.ts';
import { product } from './product.ts';

export interface Geometry {
  stride: number;
  /** top, left, bottom, right */
  padding: number[];
  groups: number;
}

export const geometryOf = (node: Node) => node.attrs as unknown as Geometry;

/** d loss / d kernel from (image, d loss / d output). */
export const weightGrad: Lowering = (writer, node, [x, dy]) => {
  const { groups } = geometryOf(node);
  const [, channels] = node.inputs[0].shape;
  const [, outChannels] = node.inputs[1].shape;
  const part = (value: string, perGroup: number, g: number) =>
    groups === 1 ? value : range(writer, value, 1, g * perGroup, (g + 1) * perGroup);
  const grid = writer.can.shiftedWindows ? windowGrid(node) : null;
  if (grid) return [fromWindows(writer, grid, x, dy)];
  const parts = Array.from({ length: groups }, (_, g) =>
    fromGather(writer, node, part(x, channels / groups, g), part(dy, outChannels / groups, g)),
  );
  return [groups === 1 ? parts[0] : writer.op('Concat', parts, { axis: 0 })];
};

/** Sizes of the windowed form. */
interface WindowGrid {
  batch: number;
  /** out channels, channels, kh, kw */
  kernel: number[];
  padding: number[];
  /** height, width */
  image: number[];
  output: number[];
  /** Row length of both padded factors. */
  width: number;
}

/** Positions of an image below which the windows' products become too small. */
const fewestPositions = 256;
/** Bytes of shifted copies made at a time: what the caches hold next to everything else. */
const chunkBytes = 2 ** 21;

/** The grid for the windowed form, or null where that form is slower or does not apply. */
function windowGrid(node: Node): WindowGrid | null {
  const { stride, padding, groups } = geometryOf(node);
  const kernel = node.attrs.shape as number[];
  const [batch, , ...image] = node.inputs[0].shape;
  const [, , ...output] = node.inputs[1].shape;
  const [, , kh, kw] = kernel;
  const [top, left, bottom, right] = padding;
  const fits = stride === 1 && groups === 1 && Math.max(top, bottom) < kh && Math.max(left, right) < kw;
  if (!fits || output[0] * output[1] < fewestPositions) return null;
  return { batch, kernel, padding, image, output, width: image[1] + Math.max(left, right) };
}

/**
 * dw[o, c, i, j] = sum over r, q of dy[o, r - i + top, q] * x[c, r, q + j - left]: both are padded to rows of one width
 * whose ends are zero, and then a shift in either direction is an offset in the flat image.
 */
function fromWindows(writer: OnnxWriter, grid: WindowGrid, x: string, dy: string): string {
  const { batch, kernel, padding, image, output, width } = grid;
  const [outChannels, channels, kh, kw] = kernel;
  const [top, left, bottom] = padding;
  const length = image[0] * width;
  const margin = kw > 1 ? 1 : 0;
  const rowsX = padded(writer, x, [batch, channels, ...image], [margin, margin, width - image[1]]);
  const rowsDy = padded(
    writer,
    dy,
    [batch, outChannels, ...output],
    [kh - 1 - top, kh - 1 - bottom, width - output[1]],
  );
  const startsX = Array.from({ length: kw }, (_, j) => margin * width + j - left);
  const startsDy = Array.from({ length: kh }, (_, i) => (kh - 1 - i) * width);

  const perImage = 4 * length * (kw * channels + kh * outChannels);
  const step = Math.max(1, Math.floor(chunkBytes / perImage));
  let total = '';
  for (let first = 0; first < batch; first += step) {
    const images = [first, Math.min(first + step, batch)];
    const [a, b] = [windows(writer, rowsDy, images, startsDy, length), windows(writer, rowsX, images, startsX, length)];
    const each = product(writer, a, b, { transB: true });
    const sum = writer.reduce('ReduceSum', each, [0], false);
    total = total ? writer.op('Add', [total, sum]) : sum;
  }
  if (kh * kw === 1) return writer.reshape(total, kernel);
  // Two steps, each of which the runtime does in long runs.
  const byTap = writer.transpose(writer.reshape(total, [kh, outChannels, kw, channels]), [1, 0, 2, 3]);
  const rows = writer.transpose(writer.reshape(byTap, [outChannels, kh * kw, channels]), [0, 2, 1]);
  return writer.reshape(rows, kernel);
}

/** [B, C, H, W] with rows of zeros above and below and zeros at the end of each row, as [B, C, all of it]. */
function padded(writer: OnnxWriter, x: string, [batch, channels, height, width]: number[], zeros: number[]): string {
  const [above, below, after] = zeros;
  const rows = zeros.some((amount) => amount > 0)
    ? writer.op('Pad', [x, writer.ints([0, 0, above, 0, 0, 0, below, after])])
    : x;
  return writer.reshape(rows, [batch, channels, (above + height + below) * (width + after)]);
}

/** The flat windows [start, start + length) of some images, one after the other: [images, starts * C, length]. */
function windows(writer: OnnxWriter, rows: string, images: number[], starts: number[], length: number): string {
  const axes = writer.ints([0, 2]);
  const each = starts.map((start) =>
    writer.op('Slice', [rows, writer.ints([images[0], start]), writer.ints([images[1], start + length]), axes]),
  );
  return each.length === 1 ? each[0] : writer.op('Concat', each, { axis: 1 });
}

function range(writer: OnnxWriter, x: string, axis: number, start: number, end: number, step = 1): string {
  return writer.op('Slice', [x, ...[start, end, axis, step].map((value) => writer.ints([value]))]);
}

/**
 * [O, C, kh, kw] for one group: dy [O, B*Ho*Wo] times the gathered image [B*Ho*Wo, kh*kw*C]. Gathering rows of channels
 * (NHWC) copies every number once and leaves both factors as the matrix product wants them.
 */
function fromGather(writer: OnnxWriter, node: Node, x: string, dy: string): string {
  const [out, channels, kh, kw] = node.attrs.shape as number[];
  const [batch, , outHeight, outWidth] = node.inputs[1].shape;
  const [, , height, width] = node.inputs[0].shape;
  const positions = batch * outHeight * outWidth;
  const rows = out / geometryOf(node).groups;
  const taps = kh * kw;
  let pixels = writer.reshape(writer.transpose(x, [0, 2, 3, 1]), [batch * height * width, channels]);
  if (reachesOut(node)) {
    const zeros = writer.shared(`zeros ${channels}`, [1, channels], () => new Float32Array(channels));
    pixels = writer.op('Concat', [pixels, zeros], { axis: 0 });
  }
  if (!isPixelByPixel(node)) {
    const indices = writer.shared(gatherKey(node), [positions * taps], () => gatherIndices(node));
    pixels = writer.op('Gather', [pixels, indices], { axis: 0 });
  }
  const columns = writer.reshape(pixels, [positions, taps * channels]);
  const flatDy = writer.reshape(writer.transpose(dy, [1, 0, 2, 3]), [rows, positions]);
  const product = writer.op('Gemm', [flatDy, columns]);
  if (taps === 1) return writer.reshape(product, [rows, channels, 1, 1]);
  const byTap = writer.reshape(product, [rows, taps, channels]);
  return writer.reshape(writer.transpose(byTap, [0, 2, 1]), [rows, channels, kh, kw]);
}

/** Whether each position has one tap, the pixel itself. */
function isPixelByPixel(node: Node): boolean {
  const [, , ...kernel] = node.attrs.shape as number[];
  const sizes = node.inputs.map(({ shape }) => shape.slice(2).join());
  return kernel.join() === '1,1' && geometryOf(node).stride === 1 && sizes[0] === sizes[1];
}

/** Whether some tap lies outside of the image. */
function reachesOut(node: Node): boolean {
  const { stride, padding } = geometryOf(node);
  const [, , ...kernel] = node.attrs.shape as number[];
  const [[, , ...image], [, , ...output]] = [node.inputs[0].shape, node.inputs[1].shape];
  return kernel.some((taps, i) => padding[i] > 0 || (output[i] - 1) * stride + taps - 1 - padding[i] >= image[i]);
}

/** All that the indices follow from. */
function gatherKey(node: Node): string {
  const { stride, padding } = geometryOf(node);
  const [, , ...kernel] = node.attrs.shape as number[];
  const [[batch, , ...image], [, , ...output]] = [node.inputs[0].shape, node.inputs[1].shape];
  return `gather ${JSON.stringify({ batch, image, output, kernel, stride, padding })}`;
}

/**
 * For every output position and tap, the row of the image [B*H*W, C] under it; the row after the last stands for the
 * zeros around the image.
 */
function gatherIndices(node: Node): BigInt64Array {
  const { stride, padding } = geometryOf(node);
  const [, , kh, kw] = node.attrs.shape as number[];
  const [batch, , outHeight, outWidth] = node.inputs[1].shape;
  const [, , height, width] = node.inputs[0].shape;
  const indices = new BigInt64Array(batch * outHeight * outWidth * kh * kw);
  const zeroRow = batch * height * width;
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const [row, column] = [y * stride + i - padding[0], x * stride + j - padding[1]];
            const inside = row >= 0 && row < height && column >= 0 && column < width;
            indices[at++] = BigInt(inside ? (b * height + row) * width + column : zeroRow);
          }
        }
      }
    }
  }
  return indices;
}
