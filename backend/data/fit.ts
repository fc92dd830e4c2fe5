/**
 * Pictures of one size and kind of colour as a network wants them: padded or resized, gray made to three equal channels or
 * colours to gray. Ground is black, -1.
 */
import { type TensorData, tensorData } from '../graph/tensor-data.ts';
import { resample } from '../metrics/resample.ts';

/**
 * - `pad`: black is added around the picture, as evenly as it goes (the odd row below, the odd column to the right).
 * - `resize`: stretched to the size, by Pillow's bicubic filter with its antialiasing.
 */
export type Fit = 'pad' | 'resize';

export type Shape = readonly [channels: number, height: number, width: number];

/** Why pictures of `from` cannot become `to` so; '' where they can. */
export function fitProblem(from: Shape, to: Shape, fit: Fit): string {
  const [channels, height, width] = to;
  if (channels !== from[0] && ![1, 3].includes(channels)) return `pictures have 1 channel or 3, not ${channels}`;
  const tooSmall = fit === 'pad' && (height < from[1] || width < from[2]);
  return tooSmall
    ? `pictures of ${from[2]} x ${from[1]} cannot be padded to ${width} x ${height}, which is smaller`
    : '';
}

/** images [N, C, H, W] in [-1, 1] -> [N, ...to]. The shapes must fit (`fitProblem`). */
export function fitted(images: TensorData, to: Shape, fit: Fit): TensorData {
  const [count, ...from] = images.shape as [number, number, number, number];
  if (from.join() === to.join()) return images;
  const coloured = withChannels(images, to[0]);
  const sized = fit === 'pad' ? padded(coloured, to) : clipped(resample(coloured, to[1], to[2], 'bicubic'));
  return tensorData([count, ...to], sized.data);
}

/** Luma of Rec. 601, which Pillow and OpenCV take too. */
const luma = [0.299, 0.587, 0.114] as const;

function withChannels(images: TensorData, channels: number): TensorData {
  const [count, from, height, width] = images.shape as [number, number, number, number];
  if (from === channels) return images;
  const plane = height * width;
  const data = new Float32Array(count * channels * plane);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < plane; i++) {
      const at = n * from * plane + i;
      const [r, g = 0, b = 0] = Array.from({ length: from }, (_, c) => images.data[at + c * plane]!) as [number];
      const gray = from === 1 ? r : luma[0] * r + luma[1] * g + luma[2] * b;
      for (let c = 0; c < channels; c++) data[(n * channels + c) * plane + i] = gray;
    }
  }
  return { shape: [count, channels, height, width], data };
}

function padded(images: TensorData, [channels, height, width]: Shape): TensorData {
  const [count, , oldHeight, oldWidth] = images.shape as [number, number, number, number];
  const [top, left] = [Math.floor((height - oldHeight) / 2), Math.floor((width - oldWidth) / 2)];
  const data = new Float32Array(count * channels * height * width).fill(-1);
  for (let plane = 0; plane < count * channels; plane++) {
    for (let y = 0; y < oldHeight; y++) {
      const from = (plane * oldHeight + y) * oldWidth;
      data.set(images.data.subarray(from, from + oldWidth), (plane * height + top + y) * width + left);
    }
  }
  return { shape: [count, channels, height, width], data };
}

/** A cubic goes beyond what it goes through. */
function clipped({ shape, data }: TensorData): TensorData {
  return { shape, data: data.map((x) => Math.min(1, Math.max(-1, x))) };
}
