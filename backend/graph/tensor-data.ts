/** How numbers are held. */
export type NumberType = 'float32' | 'float16';

export const bytesPerNumber: Readonly<Record<NumberType, number>> = { float32: 4, float16: 2 };

/** Numbers on the host: a shape and its float32 values in row-major order. Images are NCHW in [-1, 1]. */
export interface TensorData {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Numbers that nobody else looks at any more: whoever is given them may keep them and change them. */
export interface GivenData extends TensorData {
  readonly given: true;
}

/** Gives numbers away without copying them: `value` has none afterwards. An array that is part of a larger one is copied. */
export function handOver({ shape, data }: TensorData): GivenData {
  const { buffer, byteLength } = data;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== byteLength) {
    return { shape, data: data.slice(), given: true };
  }
  return { shape, data: new Float32Array(structuredClone(buffer, { transfer: [buffer] })), given: true };
}

/** The same as float16 bits: how frozen weights are held in half the memory. */
export interface HalfData {
  readonly shape: readonly number[];
  readonly halves: Uint16Array;
}

/** What a tensor on the host holds. */
export const typeOf = (value: TensorData | HalfData): NumberType => ('halves' in value ? 'float16' : 'float32');

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

/** Cuts 0..count into ranges [start, end) of `size`, in order; the last may be shorter. */
export function* ranges(count: number, size: number): Generator<[start: number, end: number]> {
  for (let start = 0; start < count; start += size) yield [start, Math.min(start + size, count)];
}

/** Numbers that arrive in order, in one array. Throws when they are fewer or more than the shape has. */
export async function gather(
  shape: readonly number[],
  slices: AsyncIterable<Float32Array>,
  data: Float32Array = new Float32Array(sizeOf(shape)),
): Promise<Float32Array> {
  let count = 0;
  for await (const slice of slices) {
    if (count + slice.length <= data.length) data.set(slice, count);
    count += slice.length;
    if (count > data.length) break;
  }
  requireCount(shape, count);
  return data;
}

/** Throws when so many numbers have arrived for a shape that has others. */
export function requireCount(shape: readonly number[], count: number): void {
  const wanted = sizeOf(shape);
  if (count === wanted) return;
  const found = count < wanted ? `only ${count}` : `more than ${wanted}`;
  throw new Error(`[${shape.join(', ')}] has ${wanted} numbers, and ${found} arrived`);
}
