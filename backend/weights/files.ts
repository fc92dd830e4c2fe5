/** Reading pieces of a file, with the operating system's refusals in plain words. */
import type { FileHandle } from 'node:fs/promises';
import { openRegular } from '../files/regular.ts';
import { ranges } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { allocate, namingFileAsync, refuse } from './refusal.ts';

/** An open weights file. */
export interface WeightsFile {
  readonly path: string;
  /** In bytes, when it was opened. */
  readonly size: number;
  /** `length` bytes from `position` on, in memory of their own. Refuses to read past the end. */
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Opens a file for `use` and closes it afterwards. Every refusal within becomes a UserError that names the file. */
export async function withWeightsFile<T>(path: string, use: (file: WeightsFile) => Promise<T>): Promise<T> {
  const handle = await openForReading(path);
  try {
    return await namingFileAsync(path, async () => {
      const stat = await handle.stat();
      return await use({ path, size: stat.size, read: (position, length) => readExactly(handle, position, length) });
    });
  } finally {
    await handle.close();
  }
}

/**
 * Bytes from..to of a file, in order, a piece at a time. Refusals are UserErrors that name the file.
 * @param room where each piece lies until the next one is asked for
 */
export async function* piecesOfFile(
  path: string,
  from: number,
  to: number,
  room: Uint8Array<ArrayBuffer>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const handle = await openForReading(path);
  try {
    for (const [start, end] of ranges(to - from, room.length)) {
      const piece = room.subarray(0, end - start);
      await namingFileAsync(path, () => fill(handle, from + start, piece));
      yield piece;
    }
  } finally {
    await handle.close();
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await openRegular(path);
  } catch (error) {
    if (error instanceof UserError) throw new UserError('weights', error.message, 'Name a weights file.');
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UserError('weights', `${path}: no such file`, 'Check the path.', { cause: error });
    }
    if (code === 'EISDIR') {
      throw new UserError('weights', `${path}: this is a folder, not a weights file`, 'Name the file inside it.');
    }
    throw new UserError('io', `cannot read ${path} (${code || String(error)})`, 'Check who may read the file.', {
      cause: error,
    });
  }
}

/** One read call takes at most 2 GiB; stay well below. */
const largestRead = 2 ** 28;

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(allocate(length, 'reading the file'));
  await fill(handle, position, bytes);
  return bytes;
}

async function fill(handle: FileHandle, position: number, bytes: Uint8Array): Promise<void> {
  const { length } = bytes;
  let done = 0;
  while (done < length) {
    const wanted = Math.min(length - done, largestRead);
    const { bytesRead } = await handle.read(bytes, done, wanted, position + done);
    if (bytesRead === 0) refuse(`the file ends at byte ${position + done}, ${length - done} bytes too early`);
    done += bytesRead;
  }
}
