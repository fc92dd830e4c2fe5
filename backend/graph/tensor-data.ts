/** Numbers on the host: a shape and its float32 values in row-major order. Images are NCHW in [-1, 1]. */
export interface TensorData {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The same as float16 bits: how frozen weights are held in half the memory. */
export interface HalfData {
  readonly shape: readonly number[];
  readonly halves: Uint16Array;
}

/** How many numbers a shape holds; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Wraps values with their shape. Throws when the count does not fit. */
export function tensorData(shape: readonly number[], data: Float32Array): TensorData {
  if (sizeOf(shape) !== data.length) {
    throw new Error(`shape [${shape.join(', ')}] needs ${sizeOf(shape)} numbers, got ${data.length}`);
  }
  return { shape, data };
}
