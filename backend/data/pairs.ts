/**
 * Noise-image pairs on disk: what the teacher's sampler makes of given noise, for the regression loss.
 *
 * A folder holds shards (safetensors with `z`, `y`, `labels`) and a manifest with what made them and each shard's hash.
 * A pair is a pure function of its index, so a killed run is continued by the same call: shards that are there whole are kept, the
 * others are made. One process at a time writes to a folder.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePiecesAtomic } from '../files/atomic.ts';
import { asUserError, errorCode } from '../files/disk.ts';
import { makeFolder } from '../files/folders.ts';
import { readTextAside } from '../files/regular.ts';
import { sizeOf, type TensorData, tensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { writeSafetensors } from '../weights/safetensors.ts';
import {
  checkSamePairs,
  type PairIdentity,
  type PairManifest,
  readManifest,
  shardCount,
  shardPath,
  shardsOf,
  writeManifest,
} from './pair-manifest.ts';
import { hashOf, type PairArray, type PairBatch, pairArrays } from './pair-shard.ts';

export { OtherPairs } from './pair-manifest.ts';
export { openPairs, type PairSet } from './pair-set.ts';
export type { PairBatch };

/** What makes pairs the same work, and how many of them there are to be. */
export interface PairWork {
  /** Pairs in all. May be raised or lowered later; shards that fit are kept. */
  readonly count: number;
  /** Pairs per file: what a kill can cost. */
  readonly shardSize: number;
  /** Pairs per call of `make`. */
  readonly batchSize?: number;
  readonly seed: number;
  /** [C, H, W] */
  readonly shape: readonly number[];
  readonly labelDim: number;
  /** All settings the pairs depend on; must not change between calls for one folder. */
  readonly config: PairManifest['config'];
  /** Small files of the set by name, such as the prompts; `config` has what makes them the same. */
  readonly texts?: Readonly<Record<string, string>>;
}

export interface WritePairsOptions extends PairWork {
  /** Makes the pairs with these indices; the same indices must always give the same pairs. */
  readonly make: (indices: readonly number[]) => Promise<PairBatch>;
  /** Called once, before anything is made: what `make` will be asked for, in this order. */
  readonly onPlan?: (batches: readonly (readonly number[])[]) => void;
  /** Called as pairs are made or found: pairs there, pairs in all. */
  readonly onProgress?: (done: number, count: number) => void;
  /** Stops after the current batch; the shard it belongs to is made anew next time. */
  readonly signal?: AbortSignal;
}

/**
 * Makes what is missing of `count` pairs in `folder`.
 * @returns how many pairs were made, and how many were there and kept
 * @throws UserError: 'config' when the folder holds other pairs, 'numeric' when a pair is not finite, 'io' when the disk
 * refuses, 'cancelled' when `signal` stopped it. Finished shards are kept in every case.
 */
export async function writePairs(folder: string, options: WritePairsOptions): Promise<{ made: number; kept: number }> {
  const { count, shardSize, onProgress, signal } = options;
  const manifest = await startManifest(folder, options);
  const kept = await dropUnusable(folder, manifest);
  let done = kept;
  onProgress?.(done, count);
  const missing = Array.from({ length: shardsOf(manifest) }, (_, index) => index).filter(
    (index) => manifest.shards[index] === null,
  );
  const batchesOf = (index: number) => batchesIn(shardCount(manifest, index), index * shardSize, options.batchSize);
  options.onPlan?.(missing.flatMap(batchesOf));
  for (const index of missing) {
    const size = shardCount(manifest, index);
    const shard = emptyShard(size, options);
    for (const indices of batchesOf(index)) {
      if (signal?.aborted) throw stopped(folder, done, count);
      fill(shard, indices[0]! - index * shardSize, await options.make(indices), indices, options);
      done += indices.length;
      onProgress?.(done, count);
    }
    const { sha256 } = await writeSafetensors(shardPath(folder, index), Object.entries(shard));
    manifest.shards[index] = { count: size, sha256 };
    await writeManifest(folder, manifest);
  }
  return { made: count - kept, kept };
}

/** The indices of a shard, those of one call each. */
function batchesIn(size: number, first: number, batchSize = 64): number[][] {
  return Array.from({ length: Math.ceil(size / batchSize) }, (_, i) => {
    const from = i * batchSize;
    return Array.from({ length: Math.min(batchSize, size - from) }, (_, j) => first + from + j);
  });
}

/**
 * Looks whether a folder is free for these pairs or has them already, whole or in part; touches nothing.
 * @throws UserError('config') that names the difference, 'data' when the manifest is damaged
 */
export async function checkSameWork(folder: string, work: PairWork): Promise<void> {
  const found = await foundIn(folder, work);
  if (found === undefined || found.count <= work.count) return;
  throw new UserError(
    'config',
    `the pairs in ${folder} are more: count is ${found.count} in its manifest, ${work.count} now`,
    `They can be used as they are: a run takes the first ${work.count} with regression.pairs.count.`,
  );
}

/** What is there of this very work. Throws UserError when something else is. */
async function foundIn(folder: string, { texts = {}, ...work }: PairWork): Promise<PairManifest | undefined> {
  const found = await readManifest(folder);
  if (found) checkSamePairs(folder, found, identityOf(work));
  for (const [name, text] of Object.entries(found ? {} : texts)) {
    const file = join(folder, name);
    const there = await textOf(file);
    if (there === undefined || there === text) continue;
    throw new UserError('config', `${file} is there already, and is not of these pairs`, 'Choose another folder.');
  }
  return found;
}

function identityOf({ config, seed, shape, labelDim, shardSize }: PairWork): PairIdentity {
  return { config, seed, shape: [...shape], labelDim, shardSize };
}

/** Undefined where there is no such file. */
function textOf(file: string): Promise<string | undefined> {
  return readTextAside(file, 'prompts').catch((cause: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(cause))) return undefined;
    throw asUserError(cause, 'read', file);
  });
}

/** Reads or begins the manifest, and clears away what a killed writer left half-written. */
async function startManifest(folder: string, work: PairWork): Promise<PairManifest> {
  const found = await foundIn(folder, work);
  makeFolder(folder);
  try {
    const debris = (await readdir(folder)).filter((name) => /^\.pairs.*\.tmp$/.test(name));
    for (const name of debris) await rm(join(folder, name), { force: true });
  } catch (cause) {
    throw asUserError(cause, 'write to', folder);
  }
  const { count, texts = {} } = work;
  const manifest: PairManifest = {
    ...{ format: 'dmd-pairs-1', count, ...identityOf(work) },
    shards: found?.shards ?? [],
  };
  while (manifest.shards.length < shardsOf(manifest)) manifest.shards.push(null);
  if (found?.count !== count) await writeManifest(folder, manifest);
  for (const [name, text] of Object.entries(texts)) {
    const file = join(folder, name);
    if ((await textOf(file)) !== text) await writePiecesAtomic(file, [Buffer.from(text)]);
  }
  return manifest;
}

/** Forgets shards that are too short, missing or damaged. Returns how many pairs remain of those wanted. */
async function dropUnusable(folder: string, manifest: PairManifest): Promise<number> {
  let kept = 0;
  for (let index = 0; index < shardsOf(manifest); index++) {
    const shard = manifest.shards[index];
    if (!shard) continue;
    const usable =
      shard.count >= shardCount(manifest, index) && (await hashOf(shardPath(folder, index))) === shard.sha256;
    if (usable) kept += shardCount(manifest, index);
    else manifest.shards[index] = null;
  }
  return kept;
}

function stopped(folder: string, done: number, count: number): UserError {
  const hint = 'Run the same again to continue; finished shards are kept.';
  return new UserError('cancelled', `stopped at ${done} of ${count} pairs in ${folder}`, hint);
}

type Shard = Record<PairArray, TensorData>;

function emptyShard(size: number, { shape, labelDim }: WritePairsOptions): Shard {
  const zeros = (dims: number[]) => tensorData(dims, new Float32Array(sizeOf(dims)));
  return { z: zeros([size, ...shape]), y: zeros([size, ...shape]), labels: zeros([size, labelDim]) };
}

function fill(
  shard: Shard,
  at: number,
  batch: PairBatch,
  indices: readonly number[],
  options: WritePairsOptions,
): void {
  for (const name of pairArrays) {
    const dims = name === 'labels' ? [options.labelDim] : options.shape;
    const { shape, data } = batch[name];
    if (shape.join() !== [indices.length, ...dims].join()) {
      throw new Error(`make gave ${name} [${shape.join(', ')}] for ${indices.length} pairs of [${dims.join(', ')}]`);
    }
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const pair = indices[Math.floor(bad / sizeOf(dims))];
      const hint = 'Check the teacher and its settings; nothing of this shard was written.';
      throw new UserError('numeric', `${name} of pair ${pair} holds ${data[bad]}`, hint);
    }
    shard[name].data.set(data, at * sizeOf(dims));
  }
}
