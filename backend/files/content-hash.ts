/**
 * SHA-256 of what files hold, for files of any size and any number of them.
 *
 * Reading 50 GB takes minutes, so a hash that took long is kept in the user's cache folder, under a key made of every
 * file's path, size, inode and times of change, the one that nobody can set (ctime) among them. Files that were written a moment
 * ago, or while they were read, are hashed anew next time: a file system's clock is coarse. A cache that cannot be
 * read or written is none.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '../protocol/errors.ts';
import { writeFileAtomic } from './atomic.ts';
import { cacheFolder } from './cache.ts';
import { onDisk } from './disk.ts';
import { openRegularSync, readText } from './regular.ts';

export interface Hashing {
  readonly signal?: AbortSignal | undefined;
  /** Called between pieces, with bytes. */
  readonly onProgress?: (done: number, total: number) => void;
}

const pieceBytes = 2 ** 22;
/** What opening a file costs, in bytes read. */
const fileCost = 2 ** 14;
/** Less work than this is done anew: a few hundredths of a second. */
const keptFrom = 2 ** 25;
/** Milliseconds that work may hold up everything else. */
const sliceMilliseconds = 50;
/** A file that was changed so many nanoseconds ago may change again with the same time stamp. */
const settledAfter = 2_000_000_000n;

/** Of one file, as `sha256sum` prints it. Throws UserError: 'data' for what is no file, 'io', 'cancelled'. */
export async function hashFile(file: string, hashing: Hashing = {}): Promise<string> {
  return cached([file], hashing, (digests) => digests[0]!);
}

/**
 * Of the files in a folder, wherever it lies: of what `sha256sum` prints for them in this order.
 * @param names relative to the folder, with forward slashes
 * @throws UserError: 'data' for what is no file, 'io', 'cancelled'
 */
export async function hashFolder(folder: string, names: readonly string[], hashing: Hashing = {}): Promise<string> {
  const files = names.map((name) => path.join(folder, name));
  return cached(files, hashing, (digests) => {
    const hash = createHash('sha256');
    digests.forEach((digest, i) => {
      hash.update(`${digest}  ${names[i]}\n`);
    });
    return hash.digest('hex');
  });
}

async function cached(files: readonly string[], hashing: Hashing, combine: (digests: string[]) => string) {
  const slices = new Slices(hashing.signal);
  const before = await look(files, slices);
  const kept =
    before.bytes + fileCost * files.length >= keptFrom ? path.join(cacheFolder('hashes'), before.key) : undefined;
  const known = kept && readKept(kept);
  if (known) return known;
  const now = BigInt(Date.now()) * 1_000_000n;
  const digests: string[] = [];
  let done = 0;
  for (const file of files) {
    const hash = createHash('sha256');
    await onEveryPiece(file, async (piece) => {
      hash.update(piece);
      done += piece.length;
      if (await slices.pass()) hashing.onProgress?.(done, before.bytes);
    });
    digests.push(hash.digest('hex'));
  }
  hashing.onProgress?.(before.bytes, before.bytes);
  const result = combine(digests);
  if (kept && now - before.changed > settledAfter && (await look(files, slices)).key === before.key) keep(kept, result);
  return result;
}

interface Look {
  /** Of paths, sizes, inodes and times: another one when any file may hold something else. */
  readonly key: string;
  readonly bytes: number;
  /** When a file was changed last, in nanoseconds since 1970. */
  readonly changed: bigint;
}

async function look(files: readonly string[], slices: Slices): Promise<Look> {
  const hash = createHash('sha256');
  let bytes = 0;
  let changed = 0n;
  for (const file of files) {
    const found = onDisk('read', file, () => fs.statSync(file, { bigint: true }));
    // Reading a pipe would wait for a writer for ever.
    if (!found.isFile()) throw new UserError('data', `${file} is not a file`, 'Take it out of the folder.');
    const { dev, ino, size, mtimeNs, ctimeNs } = found;
    hash.update(`${JSON.stringify(path.resolve(file))} ${[dev, ino, size, mtimeNs, ctimeNs].join(' ')}\n`);
    bytes += Number(size);
    for (const time of [mtimeNs, ctimeNs]) if (time > changed) changed = time;
    await slices.pass();
  }
  return { key: hash.digest('hex'), bytes, changed };
}

async function onEveryPiece(file: string, take: (piece: Uint8Array) => Promise<void>): Promise<void> {
  const handle = onDisk('read', file, () => openRegularSync(file));
  try {
    const buffer = new Uint8Array(pieceBytes);
    for (;;) {
      const count = onDisk('read', file, () => fs.readSync(handle, buffer));
      if (count === 0) return;
      await take(buffer.subarray(0, count));
    }
  } finally {
    fs.closeSync(handle);
  }
}

/** Lets commands in every now and then: reading with synchronous calls is by far the fastest for many small files. */
class Slices {
  readonly #signal: AbortSignal | undefined;
  #began = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Whether a slice ended here. Throws UserError('cancelled'). */
  async pass(): Promise<boolean> {
    if (this.#signal?.aborted) throw new UserError('cancelled', 'stopped while files were compared');
    if (performance.now() - this.#began < sliceMilliseconds) return false;
    await turn();
    this.#began = performance.now();
    return true;
  }
}

function readKept(file: string): string | undefined {
  try {
    return /^[0-9a-f]{64}$/.exec(readText(file, 'note'))?.[0];
  } catch {
    return undefined;
  }
}

function keep(file: string, hash: string): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileAtomic(file, hash);
  } catch {}
}
