/**
 * The few file operations that writing needs, as one object, so that a test can put a full disk behind them, and
 * what the operating system's refusals are called in plain words.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { UserError } from '../protocol/errors.ts';

export interface Disk {
  open(path: string, flags: string): number;
  /** Writes some of the bytes from a position in the file on, returns how many. */
  write(file: number, bytes: Uint8Array, position: number): number;
  truncate(file: number, length: number): void;
  sync(file: number): void;
  /** `write` and `sync` for what is large: the thread goes on while the disk works. */
  writeAside(file: number, bytes: Uint8Array, position: number): Promise<number>;
  syncAside(file: number): Promise<void>;
  close(file: number): void;
  rename(from: string, to: string): void;
}

const [write, sync] = [promisify(fs.write), promisify(fs.fsync)];

export const realDisk: Disk = {
  open: (path, flags) => fs.openSync(path, flags),
  write: (file, bytes, position) => fs.writeSync(file, bytes, 0, bytes.length, position),
  truncate: (file, length) => fs.ftruncateSync(file, length),
  sync: (file) => fs.fsyncSync(file),
  writeAside: async (file, bytes, position) => (await write(file, bytes, 0, bytes.length, position)).bytesWritten,
  syncAside: (file) => sync(file),
  close: (file) => fs.closeSync(file),
  rename: (from, to) => fs.renameSync(from, to),
};

const refusals: Record<string, readonly [what: string, hint: string]> = {
  ENOSPC: ['the disk is full', 'Free some space and try again; what was already written is intact.'],
  EDQUOT: ['the disk quota is used up', 'Free some space and try again; what was already written is intact.'],
  EACCES: ['permission denied', 'Check who owns the folder, or choose another one.'],
  EPERM: ['operation not permitted', 'Check who owns the folder, or choose another one.'],
  EROFS: ['the file system is read-only', 'Choose a folder on a writable disk.'],
  ENOENT: ['no such file or folder', 'Check the path.'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Check the path.'],
  EISDIR: ['it is a folder, not a file', 'Check the path.'],
  EMFILE: ['too many open files', 'Raise the limit (ulimit -n) or close other programs.'],
  ENAMETOOLONG: ['the path is too long', 'Choose a shorter name or folder.'],
  EIO: ['the disk reports an input/output error', 'Check the disk.'],
};

/** The operating system's code of an error (`ENOSPC`, ...), '' when it is none of its errors. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/**
 * What a person should read about a failed file operation; anything that is not the operating system's refusal (a bug,
 * an error already worded) comes back as it is.
 * @param doing e.g. 'write', completes "cannot ... <path>"
 */
export function asUserError(error: unknown, doing: string, path: string): unknown {
  const refusal = refusals[errorCode(error)];
  if (!refusal) return error;
  const [what, hint] = refusal;
  return new UserError('io', `cannot ${doing} ${path}: ${what} (${errorCode(error)})`, hint, { cause: error });
}

/** Runs a file operation; a refusal of the operating system becomes a UserError('io') that names the path. */
export function onDisk<T>(doing: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw asUserError(error, doing, path);
  }
}
