/**
 * safetensors files, read and written. Reading trusts nothing: a header that does not fit the file is refused before any
 * memory is taken for tensors, and no tensor is larger than the bytes that are there. Writing replaces a file whole.
 */

import { type Written, writePiecesAtomic } from '../files/atomic.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { type WeightsFile, withWeightsFile } from './files.ts';
import { namingFile, namingFileAsync } from './refusal.ts';
import { type Header, headerLength, parseHeader, readHeader } from './safetensors-header.ts';
import {
  planSafetensors,
  safetensorsBytes,
  safetensorsPieces,
  type TensorEntries,
  type WriteOptions,
} from './safetensors-pieces.ts';
import { type StoredTensor, storedTensor } from './stored-tensor.ts';

export type { TensorEntries, WriteOptions };

export interface Safetensors {
  /** In the header's order. */
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

/** Reads a whole file. Throws UserError('weights') when it is damaged, missing or no safetensors file. */
export function readSafetensors(path: string): Promise<Safetensors> {
  return withWeightsFile(path, readOpenSafetensors);
}

/** `readSafetensors` for a file that is open already; its refusals do not yet name the file. */
export async function readOpenSafetensors(file: WeightsFile): Promise<Safetensors> {
  const { start, entries, metadata } = await readHeader(file);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const { buffer } = await file.read(start + begin, end - begin);
    tensors.set(name, storedTensor(dtype, shape, buffer));
  }
  return { tensors, metadata };
}

/** What a file holds, without reading the tensors. Throws UserError('weights') as `readSafetensors` does. */
export function readSafetensorsHeader(path: string): Promise<Header> {
  return withWeightsFile(path, readHeader);
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
 * Writes a file of any size to a temporary name, syncs it and renames it: `path` is never half a file.
 * Throws UserError('io') where the disk refuses, UserError('weights') where a value does not fit float16.
 */
export function writeSafetensors(path: string, entries: TensorEntries, options?: WriteOptions): Promise<Written> {
  return namingFileAsync(path, async () =>
    writePiecesAtomic(path, safetensorsPieces(planSafetensors(entries, options))),
  );
}

/** The bytes of a file, in memory. */
export function encodeSafetensors(
  entries: Iterable<readonly [name: string, tensor: TensorData | StoredTensor]>,
  options?: WriteOptions,
): Uint8Array {
  return namingFile('safetensors data', () => safetensorsBytes(planSafetensors(entries, options)));
}
