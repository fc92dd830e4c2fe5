/**
 * safetensors files, read and written. Reading trusts nothing: a header that does not fit the file is refused before any
 * memory is taken for tensors, and no tensor is larger than the bytes that are there. Writing replaces a file whole.
 */

import { writePiecesAtomic } from '../files/atomic.ts';
import { floatsToHalves, largestHalf } from '../graph/half.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { type WeightsFile, withWeightsFile } from './files.ts';
import { namingFile, refuse } from './refusal.ts';
import { encodeHeader, type Header, headerLength, parseHeader } from './safetensors-header.ts';
import { bytesOf, itemSize, type StoredTensor, storedTensor } from './stored-tensor.ts';

export interface Safetensors {
  /** In the header's order. */
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

export interface WriteOptions {
  /** Free text by key, e.g. the network's configuration. */
  readonly metadata?: Record<string, string>;
  /** What host arrays (TensorData) are stored as; a StoredTensor keeps its own dtype. Default F32. */
  readonly dtype?: 'F32' | 'F16';
}

/** Anything that can be written: host arrays, or tensors in the dtype they are to keep. */
export type TensorEntries = Iterable<readonly [name: string, tensor: TensorData | StoredTensor]>;

/** Reads a whole file. Throws UserError('weights') when it is damaged, missing or no safetensors file. */
export function readSafetensors(path: string): Promise<Safetensors> {
  return withWeightsFile(path, readOpenSafetensors);
}

/** `readSafetensors` for a file that is open already; its refusals do not yet name the file. */
export async function readOpenSafetensors(file: WeightsFile): Promise<Safetensors> {
  const length = headerLength(await file.read(0, Math.min(8, file.size)), file.size);
  const start = 8 + length;
  const { entries, metadata } = parseHeader(await file.read(8, length), file.size - start);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const { buffer } = await file.read(start + begin, end - begin);
    tensors.set(name, storedTensor(dtype, shape, buffer));
  }
  return { tensors, metadata };
}

/** What a file holds, without reading the tensors. Throws UserError('weights') as `readSafetensors` does. */
export function readSafetensorsHeader(path: string): Promise<Header> {
  return withWeightsFile(path, async (file) => {
    const length = headerLength(await file.read(0, Math.min(8, file.size)), file.size);
    return parseHeader(await file.read(8, length), file.size - 8 - length);
  });
}

/**
 * Decodes a file's bytes; the tensors are copies.
 * @param label what errors call the bytes
 */
export function decodeSafetensors(bytes: Uint8Array, label = 'safetensors data'): Safetensors {
  return namingFile(label, () => {
    const start = 8 + headerLength(bytes.subarray(0, 8), bytes.length);
    const { entries, metadata } = parseHeader(bytes.subarray(8, start), bytes.length - start);
    const tensors = new Map<string, StoredTensor>();
    for (const { name, dtype, shape, begin, end } of entries) {
      const copy = Uint8Array.from(bytes.subarray(start + begin, start + end));
      tensors.set(name, storedTensor(dtype, shape, copy.buffer));
    }
    return { tensors, metadata };
  });
}

/**
 * Writes a file to a temporary name, syncs it and renames it: `path` is never half a file.
 * Throws UserError('io') where the disk refuses, UserError('weights') where a value does not fit float16.
 */
export async function writeSafetensors(path: string, entries: TensorEntries, options?: WriteOptions): Promise<void> {
  await writePiecesAtomic(
    path,
    namingFile(path, () => pieces(entries, options)),
  );
}

/** The bytes of a file, in memory. */
export function encodeSafetensors(entries: TensorEntries, options?: WriteOptions): Uint8Array {
  const parts = namingFile('safetensors data', () => pieces(entries, options));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Header, then the tensors' bytes. The wider dtypes come first, so that every tensor starts at a multiple of its size. */
function pieces(entries: TensorEntries, { metadata = {}, dtype = 'F32' }: WriteOptions = {}): Uint8Array[] {
  const tensors = Array.from(entries, ([name, tensor]) => [name, stored(name, tensor, dtype)] as const);
  tensors.sort(([, a], [, b]) => itemSize(b.dtype) - itemSize(a.dtype));
  const names = new Set(tensors.map(([name]) => name));
  if (names.size < tensors.length || names.has('__metadata__')) {
    throw new Error('tensor names must differ, and none may be __metadata__');
  }
  return [encodeHeader(tensors, metadata), ...tensors.map(([, tensor]) => bytesOf(tensor))];
}

function stored(name: string, tensor: TensorData | StoredTensor, dtype: 'F32' | 'F16'): StoredTensor {
  if (sizeOf(tensor.shape) !== tensor.data.length) {
    throw new Error(`${name} [${tensor.shape.join(', ')}] holds ${tensor.data.length} numbers`);
  }
  if ('dtype' in tensor) return tensor;
  if (dtype === 'F32') return { dtype, shape: tensor.shape, data: tensor.data };
  const data = floatsToHalves(tensor.data);
  for (let i = 0; i < data.length; i++) {
    if ((data[i] & 0x7fff) !== 0x7c00 || !Number.isFinite(tensor.data[i])) continue;
    refuse(
      `${name} holds ${tensor.data[i]}, beyond the largest float16, ${largestHalf}`,
      'Store it as float32 instead.',
    );
  }
  return { dtype, shape: tensor.shape, data };
}
