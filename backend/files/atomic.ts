/**
 * Files that are either there whole or not at all.
 *
 * A file is written under a temporary name in its own folder, synced to the disk and renamed over its final name, then
 * the folder is synced: after a crash or a power cut a reader finds the old file or the new one. What a killed process
 * leaves behind is a `.tmp` entry, which `removeLeftovers` clears and every reader ignores.
 */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { asUserError, type Disk, errorCode, onDisk, realDisk } from './disk.ts';

/** One call of the system takes less than 2 GiB. */
const largestWrite = 2 ** 28;
/** What is hashed without a pause. */
const largestPiece = 2 ** 24;
const temporaryName = /^\..+\.\d+-[0-9a-f]{8}\.tmp$/;
/** What systems answer that cannot sync a folder: Windows, some network and FUSE file systems. */
const unsyncable = ['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'EBADF', 'ENOTSUP'];

/** A name beside `target` that nobody else uses. */
export function temporaryPath(target: string): string {
  const suffix = `${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  return path.join(path.dirname(target), `.${path.basename(target)}.${suffix}`);
}

/** Whether a name in a folder is one of `temporaryPath`. */
export function isTemporary(name: string): boolean {
  return temporaryName.test(name);
}

/** Writes every byte, then syncs; the file must not exist. Throws UserError('io') naming it. */
export function writeNewFile(file: string, content: Uint8Array | string, disk: Disk = realDisk): void {
  onDisk('write', file, () => {
    const handle = disk.open(file, 'wx');
    try {
      writeAll(handle, typeof content === 'string' ? Buffer.from(content) : content, disk);
      disk.sync(handle);
    } finally {
      disk.close(handle);
    }
  });
}

/** Writes from a position on; one call of `write` may take fewer bytes than it was given. */
export function writeAll(handle: number, bytes: Uint8Array, disk: Disk = realDisk, position = 0): void {
  let done = 0;
  while (done < bytes.length) {
    done += disk.write(handle, bytes.subarray(done, done + largestWrite), position + done);
  }
}

/** Replaces `file` by `content`, atomically and durably. On an error the old file is untouched and no debris stays. */
export function writeFileAtomic(file: string, content: Uint8Array | string, disk: Disk = realDisk): void {
  const temporary = temporaryPath(file);
  try {
    writeNewFile(temporary, content, disk);
    onDisk('write', file, () => disk.rename(temporary, file));
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw renamed(error, temporary, file);
  }
  syncFolder(path.dirname(file), disk);
}

/** Makes renames and new entries of a folder durable. Where folders cannot be synced this does nothing. */
export function syncFolder(folder: string, disk: Disk = realDisk): void {
  onDisk('write', folder, () => {
    let handle: number | undefined;
    try {
      handle = disk.open(folder, 'r');
      disk.sync(handle);
    } catch (error) {
      if (!unsyncable.includes(errorCode(error))) throw error;
    } finally {
      if (handle !== undefined) disk.close(handle);
    }
  });
}

/** What was written. */
export interface Written {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Pieces of a file in order; each is done with when the next one is asked for. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * `writeNewFile` for a file of any size: piece by piece, each hashed while the disk takes it, and other work goes on meanwhile.
 * @param hash SHA-256 of what was written so far whenever a piece is asked for
 */
export async function writeNewPieces(
  file: string,
  pieces: Pieces,
  disk: Disk = realDisk,
  hash: Hash = createHash('sha256'),
): Promise<Written> {
  try {
    const handle = disk.open(file, 'wx');
    try {
      let bytes = 0;
      for await (const piece of pieces) {
        for (let at = 0; at < piece.length; at += largestPiece) {
          const part = piece.subarray(at, at + largestPiece);
          const writing = writeAside(handle, part, disk, bytes);
          hash.update(part);
          await writing;
          bytes += part.length;
        }
      }
      await disk.syncAside(handle);
      return { bytes, sha256: hash.digest('hex') };
    } finally {
      disk.close(handle);
    }
  } catch (error) {
    throw asUserError(error, 'write', file);
  }
}

async function writeAside(handle: number, bytes: Uint8Array, disk: Disk, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += await disk.writeAside(handle, bytes.subarray(done), position + done);
}

/** `writeFileAtomic` for a file of any size, as `writeNewPieces` writes it. */
export async function writePiecesAtomic(file: string, pieces: Pieces, disk: Disk = realDisk): Promise<Written> {
  const temporary = temporaryPath(file);
  try {
    const written = await writeNewPieces(temporary, pieces, disk);
    onDisk('write', file, () => disk.rename(temporary, file));
    syncFolder(path.dirname(file), disk);
    return written;
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw renamed(error, temporary, file);
  }
}

/** A person knows the final name, not the temporary one. */
function renamed(error: unknown, temporary: string, file: string): unknown {
  if (error instanceof Error) error.message = error.message.replaceAll(temporary, file);
  return error;
}
