/**
 * What a safetensors file is made of, in the order in which it lies there: the header, then each tensor's bytes, out of arrays
 * or out of sources that are read while the file is written.
 */
import { floatsToHalves, largestHalf } from '../graph/half.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { type ArraySource, sourceOf } from './array-source.ts';
import { refuse } from './refusal.ts';
import { encodeHeader } from './safetensors-header.ts';
import { bytesOf, type Dtype, itemSize, type StoredTensor } from './stored-tensor.ts';

export interface WriteOptions {
  /** Free text by key, e.g. the network's configuration. */
  readonly metadata?: Record<string, string>;
  /** What the host's numbers (TensorData, ArraySource) are stored as; a StoredTensor keeps its own dtype. Default F32. */
  readonly dtype?: 'F32' | 'F16';
}

/** Anything that can be written: the host's numbers, or tensors in the dtype they are to keep. */
export type TensorEntries = Iterable<readonly [name: string, tensor: Writable]>;
type Writable = TensorData | StoredTensor | ArraySource;

export interface SafetensorsPlan<T extends Writable = Writable> {
  readonly header: Uint8Array;
  readonly tensors: readonly Planned<T>[];
}

interface Planned<T> {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly tensor: T;
}

/** The wider dtypes come first, so that every tensor starts at a multiple of its size. */
export function planSafetensors<T extends Writable>(
  entries: Iterable<readonly [name: string, tensor: T]>,
  { metadata = {}, dtype = 'F32' }: WriteOptions = {},
): SafetensorsPlan<T> {
  const tensors = Array.from(entries, ([name, tensor]): Planned<T> => {
    if ('data' in tensor && sizeOf(tensor.shape) !== tensor.data.length)
      throw miscounted(name, tensor, tensor.data.length);
    return { name, dtype: 'dtype' in tensor ? tensor.dtype : dtype, shape: tensor.shape, tensor };
  });
  tensors.sort((a, b) => itemSize(b.dtype) - itemSize(a.dtype));
  const names = new Set(tensors.map(({ name }) => name));
  if (names.size < tensors.length || names.has('__metadata__')) {
    throw new Error('tensor names must differ, and none may be __metadata__');
  }
  const described = tensors.map((planned) => [planned.name, planned] as const);
  return { header: encodeHeader(described, metadata), tensors };
}

/** The bytes of a file in memory. */
export function safetensorsBytes({ header, tensors }: SafetensorsPlan<TensorData | StoredTensor>): Uint8Array {
  const parts = [
    header,
    ...tensors.map(({ name, dtype, tensor }) =>
      'dtype' in tensor ? bytesOf(tensor) : numberBytes(name, tensor.data, dtype),
    ),
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/**
 * The bytes of a file of any size, piece by piece.
 * @param onPart told when the header (null) or a tensor has been taken whole
 */
export async function* safetensorsPieces(
  { header, tensors }: SafetensorsPlan,
  onPart: (name: string | null) => void = () => {},
): AsyncGenerator<Uint8Array> {
  yield header;
  onPart(null);
  for (const { name, dtype, shape, tensor } of tensors) {
    if ('dtype' in tensor) yield bytesOf(tensor);
    else yield* sourceBytes(name, 'slices' in tensor ? tensor : sourceOf(tensor), dtype, sizeOf(shape));
    onPart(name);
  }
}

async function* sourceBytes(
  name: string,
  source: ArraySource,
  dtype: Dtype,
  count: number,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const slice of source.slices()) {
    done += slice.length;
    if (done > count) break;
    yield numberBytes(name, slice, dtype);
  }
  if (done !== count) throw miscounted(name, source, done);
}

/** Numbers as float32 or float16. Refuses what is beyond float16's largest number. */
function numberBytes(name: string, numbers: Float32Array, dtype: Dtype): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const halves = floatsToHalves(numbers);
  for (let i = 0; i < halves.length; i++) {
    if ((halves[i] & 0x7fff) !== 0x7c00 || !Number.isFinite(numbers[i])) continue;
    refuse(`${name} holds ${numbers[i]}, beyond the largest float16, ${largestHalf}`, 'Store it as float32 instead.');
  }
  return new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
}

function miscounted(name: string, { shape }: { readonly shape: readonly number[] }, count: number): Error {
  return new Error(`${name} [${shape.join(', ')}] holds ${count} numbers`);
}
