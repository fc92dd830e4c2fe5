/**
 * Reads the pairs of a folder, in any order. A shard's hash is checked when it is first needed; after that only the asked-for
 * rows are read, since a full set (500,000 pairs, 12 GB) does not fit in memory.
 */
import { createHash } from 'node:crypto';
import { diskRefusal } from '../files/disk.ts';
import { sizeOf, type TensorData, tensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { checkIndices } from './dataset.ts';
import { reasonOf } from './file-source.ts';
import {
  checkSamePairs,
  missingShard,
  type PairIdentity,
  type PairManifest,
  readManifest,
  shardPath,
  shardsOf,
} from './pair-manifest.ts';
import { hashOf, type PairBatch, type Row, readRows, type ShardLayout, shardLayout } from './pair-shard.ts';

export interface PairSet {
  readonly count: number;
  /** [C, H, W] */
  readonly shape: readonly number[];
  readonly labelDim: number;
  readonly seed: number;
  /** What the pairs were made with. */
  readonly config: PairManifest['config'];
  /** The given pairs. Rejects with UserError (kind 'data') that names a damaged shard. */
  batch(indices: readonly number[]): Promise<PairBatch>;
  /**
   * SHA-256 of what the first `used` pairs hold, and of the prompts that labels are numbers of; more pairs behind them make no
   * difference. Full shards are taken by the hashes of the manifest. Rejects with UserError('data') that names a damaged shard.
   */
  identity(used: number): Promise<string>;
  /** Checks every shard now instead of when it is first needed. */
  verify(): Promise<void>;
}

/**
 * Opens a finished folder of pairs.
 * @param wanted what the caller needs them to be; another value is a UserError (kind 'config') that names the key
 */
export async function openPairs(folder: string, wanted: Partial<PairIdentity> = {}): Promise<PairSet> {
  const manifest = await readManifest(folder);
  if (!manifest) {
    throw new UserError('data', `${folder} holds no noise-image pairs (no pairs.json)`, 'Make them with dmd pairs.');
  }
  checkSamePairs(folder, manifest, wanted);
  const { count, shape, labelDim, seed, config, shardSize } = manifest;
  const missing = missingShard(manifest);
  if (missing !== undefined) {
    const hint = 'Finish them with the dmd pairs command that began them.';
    throw new UserError('data', `the pairs in ${folder} are not finished: shard ${missing} is missing`, hint);
  }
  const layouts = new Map<number, Promise<ShardLayout>>();
  const layoutOf = (index: number) => {
    const known = layouts.get(index) ?? checkedLayout(folder, manifest, index);
    layouts.set(index, known);
    return known;
  };
  const set: PairSet = {
    count,
    shape,
    labelDim,
    seed,
    config,
    async identity(used) {
      const full = Math.floor(used / shardSize);
      const shards = manifest.shards.slice(0, full).map((shard) => shard?.sha256);
      const hash = createHash('sha256').update(
        JSON.stringify([shape, labelDim, shardSize, shards, config.prompts ?? '']),
      );
      // The last shard's own hash is another one once the set was made larger.
      const rest = await set.batch(Array.from({ length: used % shardSize }, (_, i) => full * shardSize + i));
      for (const { data } of Object.values(rest))
        hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return hash.digest('hex');
    },
    async batch(indices) {
      checkIndices(indices, count);
      const shards = byShard(indices, shardSize);
      // Before there is room for them: how large they are, the files must say too.
      for (const shard of shards.keys()) await layoutOf(shard);
      const zeros = (dims: number[]): TensorData => tensorData(dims, new Float32Array(sizeOf(dims)));
      const n = indices.length;
      const batch = { z: zeros([n, ...shape]), y: zeros([n, ...shape]), labels: zeros([n, labelDim]) };
      for (const [shard, rows] of shards) {
        const layout = await layoutOf(shard);
        const path = shardPath(folder, shard);
        await readRows(path, layout, rows, batch).catch((cause: unknown) => {
          throw damaged(path, reasonOf(cause), cause);
        });
      }
      return batch;
    },
    async verify() {
      for (let index = 0; index < shardsOf(manifest); index++) await layoutOf(index);
    },
  };
  return set;
}

/** Which rows of which shards a batch needs. */
function byShard(indices: readonly number[], shardSize: number): Map<number, Row[]> {
  const shards = new Map<number, Row[]>();
  for (const [to, index] of indices.entries()) {
    const shard = Math.floor(index / shardSize);
    const rows = shards.get(shard) ?? [];
    shards.set(shard, rows);
    rows.push({ from: index % shardSize, to });
  }
  return shards;
}

async function checkedLayout(folder: string, { shards, shape, labelDim }: PairManifest, index: number) {
  const path = shardPath(folder, index);
  const hash = await hashOf(path);
  if (hash === undefined) throw damaged(path, 'there is no such file');
  if (hash !== shards[index]!.sha256) throw damaged(path, 'its SHA-256 is not the one in pairs.json');
  return shardLayout(path, shards[index]!.count, { z: shape, y: shape, labels: [labelDim] }).catch((cause: unknown) => {
    throw damaged(path, reasonOf(cause), cause);
  });
}

function damaged(path: string, reason: string, cause?: unknown): UserError {
  const refusal = diskRefusal(cause, 'read', path);
  if (refusal) return refusal;
  const hint = 'Run the dmd pairs command that made the folder again: it makes damaged shards anew.';
  return new UserError('data', `the pairs in ${path} are damaged: ${reason}`, hint, { cause });
}
