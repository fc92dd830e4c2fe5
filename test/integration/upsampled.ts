/** Resizing as LPIPS' users do it, without a graph. */
import type { TensorData } from '../../backend/graph/tensor-data.ts';

/** Bilinear with pixel centres at half-integers, [1, 3, H, W] -> [1, 3, side, side], number by number. */
export function upsampled({ shape, data }: TensorData, side: number): TensorData {
  const [, channels, height, width] = shape;
  const axis = (i: number, size: number) => {
    const at = Math.min(size - 1, Math.max(0, ((i + 0.5) * size) / side - 0.5));
    const low = Math.floor(at);
    return { low, high: Math.min(size - 1, low + 1), share: at - low };
  };
  const out = new Float32Array(channels * side * side);
  out.forEach((_, i) => {
    const plane = Math.floor(i / (side * side)) * height * width;
    const [y, x] = [axis(Math.floor(i / side) % side, height), axis(i % side, width)];
    const row = (r: number) => {
      const start = plane + r * width;
      return data[start + x.low] * (1 - x.share) + data[start + x.high] * x.share;
    };
    out[i] = row(y.low) * (1 - y.share) + row(y.high) * y.share;
  });
  return { shape: [1, channels, side, side], data: out };
}
