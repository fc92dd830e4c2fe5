/** Whether a file of a checkpoint is the one that was saved, found out piece by piece: none of it stays in memory. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { asUserError, errorCode } from '../../files/disk.ts';
import { openRegular } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import type { FileEntry, FilePart } from './checkpoint-manifest.ts';

const pieceSize = 2 ** 24;

/**
 * What is wrong with a file, and in which tensor where the manifest can tell; '' when every byte is as it was saved.
 * @throws UserError('io') when the disk refuses
 */
export async function damageOf(file: string, expected: FileEntry): Promise<string> {
  try {
    const handle = await openRegular(file);
    try {
      return await compare(handle, expected);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'is missing';
    if (error instanceof UserError || errorCode(error) === 'EISDIR') return 'is not a regular file';
    throw asUserError(error, 'read', file);
  }
}

async function compare(handle: FileHandle, { bytes, sha256, parts = [] }: FileEntry): Promise<string> {
  const { size } = await handle.stat();
  if (size !== bytes) {
    const cut = parts.find((part) => part.bytes > size);
    return `has ${size} bytes instead of ${bytes}${cut ? `: it ends within ${nameOf(cut)}` : ''}`;
  }
  const hash = createHash('sha256');
  let [done, part] = [0, 0];
  for await (const piece of piecesOf(handle, bytes)) {
    let taken = 0;
    for (; part < parts.length && parts[part].bytes <= done + piece.length; part++) {
      const end = parts[part].bytes - done;
      hash.update(piece.subarray(taken, end));
      taken = end;
      if (hash.copy().digest('hex') === parts[part].sha256) continue;
      return `does not hold what was saved: the SHA-256 of ${nameOf(parts[part])} is another`;
    }
    hash.update(piece.subarray(taken));
    done += piece.length;
  }
  return hash.digest('hex') === sha256 ? '' : 'does not hold what was saved: its SHA-256 is another';
}

const nameOf = ({ tensor }: FilePart) => (tensor === null ? 'its header' : `tensor '${tensor}'`);

/** The file in order; the disk reads the next piece while one is looked at. */
async function* piecesOf(handle: FileHandle, length: number): AsyncGenerator<Uint8Array> {
  const buffers = [new Uint8Array(Math.min(pieceSize, length)), new Uint8Array(Math.min(pieceSize, length))];
  const read = (at: number) => {
    const reading = handle.read(buffers[0], 0, Math.min(pieceSize, length - at), at);
    reading.catch(() => {}); // nobody asks any more once damage was found
    return reading;
  };
  let next = read(0);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await next;
    if (bytesRead === 0) return; // it was cut a moment ago: the hash will say so
    const piece = buffers[0].subarray(0, bytesRead);
    buffers.reverse();
    at += bytesRead;
    if (at < length) next = read(at);
    yield piece;
  }
}
