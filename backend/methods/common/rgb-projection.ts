/**
 * Colours for latents without the decoder: the linear map of a latent's channels to the mean colour of the pixels that it decodes
 * to, fitted to one decoded picture by least squares.
 */
import type { TensorData } from '../../graph/tensor-data.ts';

/** Keeps the fit of a latent with equal channels from dividing by nothing. */
const ridge = 1e-4;

/**
 * @param latent [C, h, w]. @param image [3, H, W] in [-1, 1], what it decodes to; H and W are multiples of h and w
 * @returns [3, C + 1]: colour = M (channels, 1)
 */
export function rgbProjection(latent: TensorData, image: TensorData): TensorData {
  const [channels, height, width] = latent.shape as [number, number, number];
  const terms = channels + 1;
  const cells = height * width;
  const term = (k: number, at: number) => (k < channels ? latent.data[k * cells + at]! : 1);
  const colours = averaged(image, height, width);
  // Normal equations A m = b, one right side per colour.
  const a = Array.from({ length: terms }, (_, i) =>
    Array.from({ length: terms }, (__, j) => {
      let sum = i === j ? ridge * cells : 0;
      for (let at = 0; at < cells; at++) sum += term(i, at) * term(j, at);
      return sum;
    }),
  );
  const data = new Float32Array(3 * terms);
  for (let colour = 0; colour < 3; colour++) {
    const b = Array.from({ length: terms }, (_, i) => {
      let sum = 0;
      for (let at = 0; at < cells; at++) sum += term(i, at) * colours[colour * cells + at]!;
      return sum;
    });
    data.set(solved(a, b), colour * terms);
  }
  return { shape: [3, terms], data };
}

/** Means of the pixels behind each cell, [3, h, w]. */
function averaged({ shape, data }: TensorData, height: number, width: number): Float64Array {
  const [channels, rows, columns] = shape as [number, number, number];
  const means = new Float64Array(3 * height * width);
  const share = (height * width) / (rows * columns);
  for (let colour = 0; colour < 3; colour++) {
    const from = Math.min(colour, channels - 1) * rows * columns;
    for (let y = 0; y < rows; y++) {
      const row = (colour * height + Math.floor((y * height) / rows)) * width;
      for (let x = 0; x < columns; x++) {
        means[row + Math.floor((x * width) / columns)]! += data[from + y * columns + x]! * share;
      }
    }
  }
  return means;
}

/** a x = b for a symmetric positive definite matrix of a few rows, by elimination. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let i = 0; i < size; i++) {
    for (let below = i + 1; below < size; below++) {
      const factor = rows[below]![i]! / rows[i]![i]!;
      for (let k = i; k <= size; k++) rows[below]![k]! -= factor * rows[i]![k]!;
    }
  }
  const found = Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let sum = rows[i]![size]!;
    for (let k = i + 1; k < size; k++) sum -= rows[i]![k]! * found[k]!;
    found[i] = sum / rows[i]![i]!;
  }
  return found;
}
