/**
 * The manifest of a folder of noise-image pairs, `pairs.json`: what made them, and the hash of every finished shard.
 * It is rewritten after each shard, so that it never speaks of a file that is not there whole.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { writePiecesAtomic } from '../files/atomic.ts';
import { diskRefusal, errorCode } from '../files/disk.ts';
import { readTextAside } from '../files/regular.ts';
import { UserError } from '../protocol/errors.ts';
import { parseJson } from '../protocol/json.ts';
import { reasonOf } from './file-source.ts';

const manifestSchema = z.strictObject({
  format: z.literal('dmd-pairs-1'),
  /** Whatever settings the images depend on: teacher, its hash, sampler, steps, device, ... */
  config: z.record(z.string(), z.json()),
  seed: z.int(),
  /** [C, H, W] */
  shape: z.array(z.int().positive()),
  labelDim: z.int().nonnegative(),
  count: z.int().positive(),
  shardSize: z.int().positive(),
  /** By number of the shard; null where it is not finished. */
  shards: z.array(z.strictObject({ count: z.int().positive(), sha256: z.string().length(64) }).nullable()),
});

export type PairManifest = z.infer<typeof manifestSchema>;

/** What decides the pairs themselves; `count` only says how many of them there are. */
const IDENTITY = ['config', 'seed', 'shape', 'labelDim', 'shardSize'] as const;

const manifestPath = (folder: string) => join(folder, 'pairs.json');

export const shardPath = (folder: string, index: number) =>
  join(folder, `pairs-${String(index).padStart(5, '0')}.safetensors`);

/** How many pairs the shard number `index` needs. */
export const shardCount = ({ count, shardSize }: Pick<PairManifest, 'count' | 'shardSize'>, index: number) =>
  Math.min(shardSize, count - index * shardSize);

export const shardsOf = ({ count, shardSize }: Pick<PairManifest, 'count' | 'shardSize'>) =>
  Math.ceil(count / shardSize);

/** Undefined when the folder has none; UserError when it is damaged. */
export async function readManifest(folder: string): Promise<PairManifest | undefined> {
  const path = manifestPath(folder);
  let text: string;
  try {
    text = await readTextAside(path, 'manifest');
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(cause))) return undefined;
    throw diskRefusal(cause, 'read', path) ?? damaged(path, reasonOf(cause), cause);
  }
  try {
    return manifestSchema.parse(parseJson(text));
  } catch (cause) {
    throw damaged(path, cause instanceof z.ZodError ? z.prettifyError(cause) : reasonOf(cause), cause);
  }
}

function damaged(path: string, reason: string, cause: unknown): UserError {
  const hint = 'Make the pairs again in an empty folder (dmd pairs).';
  return new UserError('data', `${path} is not a manifest of noise-image pairs: ${reason}`, hint, { cause });
}

export async function writeManifest(folder: string, manifest: PairManifest): Promise<void> {
  await writePiecesAtomic(manifestPath(folder), [Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)]);
}

export type PairIdentity = Pick<PairManifest, (typeof IDENTITY)[number]>;

/** A folder holds pairs, but other ones. */
export class OtherPairs extends UserError {
  /** Whether they are all there. */
  readonly finished: boolean;

  constructor(message: string, hint: string, finished: boolean) {
    super('config', message, hint);
    this.finished = finished;
  }
}

/** The first shard that a set of pairs lacks; undefined when it is finished. */
export function missingShard(manifest: PairManifest): number | undefined {
  // A list of all of them would be as long as a file says.
  for (let index = 0; index < shardsOf(manifest); index++) {
    if ((manifest.shards[index]?.count ?? 0) < shardCount(manifest, index)) return index;
  }
  return undefined;
}

/** Throws OtherPairs, naming the key, when the folder's pairs are not those that `wanted` describes. */
export function checkSamePairs(folder: string, found: PairManifest, wanted: Partial<PairIdentity>): void {
  for (const key of IDENTITY) {
    if (wanted[key] === undefined) continue;
    const path = firstDifference(found[key], wanted[key], key);
    if (path === undefined) continue;
    const show = (value: unknown) => (value === undefined ? 'absent' : JSON.stringify(value));
    const values = `${show(at(found, path))} in its manifest, ${show(at(wanted, path))} now`;
    const hint = 'Use the settings that made the folder, or another folder.';
    const message = `the pairs in ${folder} are others: ${path.join('.')} is ${values}`;
    throw new OtherPairs(message, hint, missingShard(found) === undefined);
  }
}

type Path = (string | number)[];

function firstDifference(a: unknown, b: unknown, ...path: Path): Path | undefined {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Object.is(a, b) ? undefined : path;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(at(a, [key]), at(b, [key]), ...path, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], value);
}
