/**
 * Tensors as weight files hold them: a dtype under its safetensors name, a shape, and the values row by row in a typed
 * array (float16 and bfloat16 as their bits). Files are little-endian, as is every machine Node runs on here.
 */

import { bfloatsToFloats, halvesToFloats } from '../graph/half.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { refuse } from './refusal.ts';

/** The typed array of each dtype. */
interface Arrays {
  F64: Float64Array;
  F32: Float32Array;
  /** The bits of float16. */
  F16: Uint16Array;
  /** The bits of bfloat16. */
  BF16: Uint16Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I16: Int16Array;
  I8: Int8Array;
  U64: BigUint64Array;
  U32: Uint32Array;
  U16: Uint16Array;
  U8: Uint8Array;
  /** 0 or 1 per byte. */
  BOOL: Uint8Array;
}

export type Dtype = keyof Arrays;

/** One tensor of a weights file, in the dtype the file has it in. */
export type StoredTensor = {
  [D in Dtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: Arrays[D] };
}[Dtype];

const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} satisfies { [D in Dtype]: new (buffer: ArrayBuffer) => Arrays[D] };

export const dtypes = Object.keys(arrays) as Dtype[];

export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(arrays, name);
}

/** Whether it has fractions, as every weight of a network does. */
export function isFloating(dtype: Dtype): boolean {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/** Bytes per number. */
export function itemSize(dtype: Dtype): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

/** Reads the numbers of a tensor out of a whole buffer; its length must be what dtype and shape need. */
export function storedTensor(dtype: Dtype, shape: readonly number[], buffer: ArrayBuffer): StoredTensor {
  if (sizeOf(shape) * itemSize(dtype) !== buffer.byteLength) {
    throw new Error(`${dtype} [${shape.join(', ')}] does not fit ${buffer.byteLength} bytes`);
  }
  // The compiler cannot follow that dtype and array belong together through the table.
  return { dtype, shape, data: new arrays[dtype](buffer) } as StoredTensor;
}

/** The tensor's values as the bytes a file holds. */
export function bytesOf({ data }: StoredTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The tensor as float32: the same array for F32, otherwise a converted copy (rounded where float32 is too narrow). */
export function toFloat32({ dtype, shape, data }: StoredTensor): TensorData {
  switch (dtype) {
    case 'F32':
      return { shape, data };
    case 'F16':
      return { shape, data: halvesToFloats(data) };
    case 'BF16':
      return { shape, data: bfloatsToFloats(data) };
    case 'I64':
    case 'U64':
      return { shape, data: Float32Array.from<bigint>(data, Number) };
    default:
      return { shape, data: Float32Array.from(data) };
  }
}

/**
 * The number of values in a shape that a file states. Refuses what is no shape: negative or fractional sizes, more
 * than 64 dimensions, a product beyond what a float64 counts exactly.
 */
export function checkedSize(shape: readonly unknown[], what: string): number {
  if (shape.length > 64) refuse(`${what} has ${shape.length} dimensions`);
  let size = 1;
  for (const dim of shape) {
    if (typeof dim !== 'number' || !Number.isSafeInteger(dim) || dim < 0) refuse(`${what} has the size ${String(dim)}`);
    size *= dim;
    if (!Number.isSafeInteger(size)) refuse(`${what} has an impossible shape, [${shape.join(', ')}]`);
  }
  return size;
}
