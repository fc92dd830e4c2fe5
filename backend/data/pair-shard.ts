/** One file of noise-image pairs: safetensors with `z` and `y` [n, C, H, W] and `labels` [n, labelDim], float32. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { diskRefusal } from '../files/disk.ts';
import { openRegular } from '../files/regular.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { headerLength, parseHeader } from '../weights/safetensors-header.ts';

/** Pairs in batch order: noise z and image y [B, C, H, W], labels [B, labelDim]. */
export interface PairBatch {
  readonly z: TensorData;
  readonly y: TensorData;
  readonly labels: TensorData;
}

export const pairArrays = ['z', 'y', 'labels'] as const;
export type PairArray = (typeof pairArrays)[number];

/** SHA-256 of a file in hex, read piece by piece; undefined when there is none. Throws UserError('io'). */
export async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const file = await openRegular(path);
    await pipeline(file.createReadStream({ highWaterMark: 2 ** 20 }), hash);
    return hash.digest('hex');
  } catch (error) {
    const refusal = diskRefusal(error, 'read', path);
    if (refusal) throw refusal;
    return undefined;
  }
}

/** Where each array begins in the file, in bytes. */
export type ShardLayout = Readonly<Record<PairArray, number>>;

/**
 * Reads a shard's header.
 * @param count how many pairs it must hold at least
 * @param shapes what one pair must have
 * @throws Error for another one
 */
export async function shardLayout(
  path: string,
  count: number,
  shapes: Record<PairArray, readonly number[]>,
): Promise<ShardLayout> {
  const file = await openRegular(path);
  try {
    const { size } = await file.stat();
    const start = 8 + headerLength(await readBytes(file, 0, 8), size);
    const { entries } = parseHeader(await readBytes(file, 8, start - 8), size - start);
    const begin = (name: PairArray) => {
      const entry = entries.find((candidate) => candidate.name === name);
      const found = entry && `${entry.dtype} ${entry.shape.slice(1)}`;
      if (found !== `F32 ${shapes[name]}`) throw new Error(`it has no ${name} of the manifest's shape`);
      if (!(entry!.shape[0]! >= count))
        throw new Error(`it has ${entry!.shape[0] ?? 'no list'} of ${name}, not ${count}`);
      return start + entry!.begin;
    };
    return { z: begin('z'), y: begin('y'), labels: begin('labels') };
  } finally {
    await file.close();
  }
}

/** One pair to read: its row in the shard, and the row of the batch it goes to. */
export interface Row {
  readonly from: number;
  readonly to: number;
}

/** Reads rows of every array of a shard into a batch. */
export async function readRows(path: string, layout: ShardLayout, rows: readonly Row[], batch: PairBatch) {
  const file = await openRegular(path);
  try {
    for (const name of pairArrays) {
      const { shape, data } = batch[name];
      const numbers = sizeOf(shape.slice(1));
      for (const { from, to } of rows) {
        const bytes = await readBytes(file, layout[name] + 4 * numbers * from, 4 * numbers);
        new Uint8Array(data.buffer, data.byteOffset).set(bytes, 4 * numbers * to);
      }
    }
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, position);
  if (bytesRead < length) throw new Error(`the file ends at byte ${position + bytesRead}`);
  return buffer;
}
