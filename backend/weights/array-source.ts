/**
 * Numbers too many to hold at once: read in order, slice by slice, on their way into a file (`ArraySource`), or by need out
 * of one (`StoredArrays`).
 */
import { gather, ranges, sizeOf, type TensorData } from '../graph/tensor-data.ts';

/** Numbers of a slice that this program makes, 16 MiB: large enough for any disk, small enough that a thread answers in between. */
export const sliceSize = 2 ** 22;

/** Float32 numbers in row-major order. */
export interface ArraySource {
  readonly shape: readonly number[];
  /** All of them, in order, in slices of at most 64 MB. A slice may be gone once the next one is asked for. */
  slices(): AsyncIterable<Float32Array>;
}

/** The float32 tensors of a file, of which only the header is in memory. */
export interface StoredArrays {
  readonly names: readonly string[];
  /** Undefined for a tensor that the file does not have. */
  shape(name: string): readonly number[] | undefined;
  /** Numbers start..end of a tensor, end exclusive, in memory of their own. */
  read(name: string, start: number, end: number): Promise<Float32Array>;
}

/** Numbers in memory as a source; its slices are views. */
export function sourceOf({ shape, data }: TensorData): ArraySource {
  async function* slices() {
    for (const [start, end] of ranges(data.length, sliceSize)) yield data.subarray(start, end);
  }
  return { shape, slices };
}

/** Numbers start..end of a stored tensor, slice by slice; all of them unless told otherwise. */
export async function* storedSlices(
  stored: StoredArrays,
  name: string,
  start = 0,
  end = sizeOf(stored.shape(name) ?? []),
): AsyncGenerator<Float32Array> {
  for (const [from, to] of ranges(end - start, sliceSize)) yield await stored.read(name, start + from, start + to);
}

/** All numbers of a source in memory. Throws when they are fewer or more than its shape says. */
export async function collect({ shape, slices }: ArraySource): Promise<TensorData> {
  return { shape, data: await gather(shape, slices()) };
}
