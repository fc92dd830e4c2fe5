/**
 * Writes a large file piece by piece so that a reader finds the old file or the new one, never a half: a temporary
 * name in the same folder, sync, rename, sync of the folder. The temporary name has the form that runs/ clears away
 * after a crash (`.name.pid-random.tmp`).
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../protocol/errors.ts';

/** Replaces `file` by the pieces. On an error the old file is untouched and no debris stays. Throws UserError('io'). */
export async function writeAtomically(file: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for (const piece of pieces) await writeAll(handle, piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw worded(error, file);
  }
}

const largestWrite = 2 ** 28;

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await handle.write(bytes, done, Math.min(bytes.length - done, largestWrite))).bytesWritten;
  }
}

/** Makes the rename durable, where the system can sync a folder (Windows cannot). */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network and FUSE file systems have no such operation.
    if (!['EINVAL', 'ENOTSUP'].includes(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function worded(error: unknown, file: string): unknown {
  const code = codeOf(error);
  if (!code) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UserError('io', `cannot write ${file}: the disk is full`, 'Free some space and try again.', {
      cause: error,
    });
  }
  const hint = code === 'ENOENT' ? 'Create the folder first.' : 'Check the path and who may write there.';
  return new UserError('io', `cannot write ${file} (${code})`, hint, { cause: error });
}
