/**
 * The few file operations that writing needs, as one object, so that a test can put a full disk behind them, and
 * what the operating system's refusals are called in plain words.
 */
import fs from 'node:fs';
import { constants } from 'node:os';
import { getSystemErrorMap, promisify } from 'node:util';
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

const quotaHint = 'Free some space and try again; what was already written is intact.';
const awayHint = 'Check the disk or the network it is on, then try again.';

const refusals: Record<string, readonly [what: string, hint: string]> = {
  ENOSPC: ['the disk is full', quotaHint],
  EDQUOT: ['the disk quota is used up', quotaHint],
  EFBIG: ['the file would be larger than the disk or a limit (ulimit -f) allows', 'Choose another disk, or raise it.'],
  EACCES: ['permission denied', 'Check who owns the folder, or choose another one.'],
  EPERM: ['operation not permitted', 'Check who owns the folder, or choose another one.'],
  EROFS: ['the file system is read-only', 'Choose a folder on a writable disk.'],
  ENOENT: ['no such file or folder', 'Check the path.'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Check the path.'],
  EISDIR: ['it is a folder, not a file', 'Check the path.'],
  ELOOP: ['links in the path lead round in a circle', 'Check where the links lead (ls -l).'],
  EMFILE: ['too many open files', 'Raise the limit (ulimit -n) or close other programs.'],
  ENFILE: ['the system has too many open files', 'Close other programs.'],
  ENAMETOOLONG: ['the path is too long', 'Choose a shorter name or folder.'],
  EIO: ['the disk reports an input/output error', 'Check the disk.'],
  ESTALE: ['the file is no longer on its network disk', awayHint],
  ENOTCONN: ['the network disk is not connected', awayHint],
  ETIMEDOUT: ['the disk does not answer', awayHint],
  EBUSY: ['another program is using it', 'Close that program and try again.'],
  ENOMEM: ['the system is out of memory', 'Close other programs and try again.'],
  ERR_FS_FILE_TOO_LARGE: ['the file is too large to be read at once', 'Check that it is the file you meant.'],
};
const unknownHint = 'Check the disk and the path.';

/** Names that libuv lacks (EDQUOT, ESTALE ...): it gives only their number. */
const nameOfNumber = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/**
 * The operating system's code of an error (`ENOSPC`, ...), or Node's own of a file (`ERR_FS_...`); '' when it is neither.
 */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return '';
  const { code } = error;
  const [, number] = /^Unknown system error -(\d+)$/.exec(code) ?? [];
  if (number) return nameOfNumber.get(Number(number)) ?? `system error ${number}`;
  return /^(E[A-Z0-9]+|EAI_\w+|UNKNOWN|ERR_FS_\w+)$/.test(code) ? code : '';
}

/** The disk refuses, which says nothing of what is on it: not that a file is missing, nor a path that leads nowhere. */
export function isDiskTrouble(error: unknown): boolean {
  const code = errorCode(error instanceof UserError ? error.cause : error);
  return code !== '' && !['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].includes(code);
}

/** What a code means, in plain words and in those of the system where these are ours to give. */
function refusalOf(code: string): readonly [what: string, hint: string] {
  const known = refusals[code];
  if (known) return known;
  for (const [name, words] of getSystemErrorMap().values()) if (name === code) return [words, unknownHint];
  return ['the system refuses', unknownHint];
}

/**
 * What a person should read about a failed file operation; anything that is not the operating system's refusal (a bug,
 * an error already worded) comes back as it is.
 * @param doing e.g. 'write', completes "cannot ... <path>"
 */
export function asUserError(error: unknown, doing: string, path: string): unknown {
  const code = errorCode(error);
  if (code === '') return error;
  const [what, hint] = refusalOf(code);
  return new UserError('io', `cannot ${doing} ${path}: ${what} (${code})`, hint, { cause: error });
}

/**
 * `asUserError` where a path that leads nowhere, or to a folder, has words of its own: undefined for those, and for what
 * is no error of the disk.
 */
export function diskRefusal(error: unknown, doing: string, path: string): UserError | undefined {
  if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errorCode(error))) return undefined;
  const worded = asUserError(error, doing, path);
  return worded !== error && worded instanceof UserError ? worded : undefined;
}

/** `asUserError` where nobody says any more what was being done: the error's own call and path. For the funnels of errors. */
export function systemErrorWords(error: unknown): unknown {
  if (!(error instanceof Error) || errorCode(error) === '') return error;
  const { syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  return asUserError(error, syscall ?? 'use', [path, dest].filter(Boolean).join(' -> ') || 'a file or connection');
}

/** Runs a file operation; a refusal of the operating system becomes a UserError('io') that names the path. */
export function onDisk<T>(doing: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw asUserError(error, doing, path);
  }
}
