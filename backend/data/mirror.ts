/** Mirrors some images of a batch left to right. */
import type { TensorData } from '../graph/tensor-data.ts';

/** @param images [B, C, H, W]; @param flip which of them */
export function mirrored({ shape, data }: TensorData, flip: readonly boolean[]): TensorData {
  const width = shape[shape.length - 1];
  const numbers = data.length / shape[0];
  const out = data.slice();
  flip.forEach((isMirrored, n) => {
    if (!isMirrored) return;
    for (let row = n * numbers; row < (n + 1) * numbers; row += width) out.subarray(row, row + width).reverse();
  });
  return { shape, data: out };
}
