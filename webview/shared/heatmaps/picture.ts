/** One image or field as numbers, and what is said of it in a line. */

/** [C, H, W], row by row. */
export interface Picture {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** A channel's value, or the mean of all channels with -1. */
export function valueAt({ channels, height, width, data }: Picture, channel: number, px: number, py: number): number {
  const at = py * width + px;
  const plane = height * width;
  if (channel >= 0) return data[Math.min(channel, channels - 1) * plane + at]!;
  let sum = 0;
  for (let c = 0; c < channels; c++) sum += data[c * plane + at]!;
  return sum / channels;
}

/** How many of its numbers are NaN or infinite. */
export function countOdd({ data }: Picture): number {
  let odd = 0;
  for (const value of data) if (!Number.isFinite(value)) odd++;
  return odd;
}

/** Least, mean and greatest of the finite numbers; infinities and NaN when there are none. */
export function extent({ data }: Picture): [number, number, number] {
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count++;
  }
  return [min, sum / count, max];
}
