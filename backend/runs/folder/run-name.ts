/** Names of run folders: `2025-01-31-scenes`, then `2025-01-31-scenes-2`; and who gets which. */
import fs from 'node:fs';
import path from 'node:path';
import { isTemporary } from '../../files/atomic.ts';
import { errorCode, onDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { UserError } from '../../protocol/errors.ts';
import { acquireLock, type LockOptions, lockName, type RunLock } from './lock.ts';

const longestSlug = 40;

/** Lower-case letters and digits with dashes between, as goes in any file name; 'run' when nothing is left. */
export function slugOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const slug = plain
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longestSlug)
    .replace(/^-+|-+$/g, '');
  return slug || 'run';
}

/**
 * Creates a folder of its own for a run and locks it. One that is there already is another's, except what a start left that
 * was killed before its run began: that is cleared, and its name used.
 * @param parts names of what a start makes before the run begins; folders are empty until then
 */
export function claimRunFolder(
  root: string,
  name: string,
  now: Date,
  parts: readonly string[],
  lockOptions: LockOptions,
): { folder: string; lock: RunLock } {
  makeFolder(root);
  const base = path.join(root, `${localDate(now)}-${slugOf(name)}`);
  for (let attempt = 1; ; attempt++) {
    const folder = attempt === 1 ? base : `${base}-${attempt}`;
    const made = make(folder);
    if (!made && !isLeftover(folder, parts)) continue;
    const lock = lockOf(folder, made, lockOptions);
    if (!lock) continue;
    // Until it was locked, another start may have taken it, begun its run and ended it.
    if (isLeftover(folder, parts)) return { folder, lock };
    lock.release();
  }
}

/** Whether it was not there. */
function make(folder: string): boolean {
  return onDisk('create', folder, () => {
    try {
      fs.mkdirSync(folder);
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

/** Whether there is nothing in a folder but what a start makes before its run begins. */
function isLeftover(folder: string, parts: readonly string[]): boolean {
  try {
    if (!fs.lstatSync(folder).isDirectory()) return false;
    return fs.readdirSync(folder, { withFileTypes: true }).every((entry) => {
      const { name } = entry;
      if (entry.isDirectory()) return parts.includes(name) && fs.readdirSync(path.join(folder, name)).length === 0;
      return entry.isFile() && (name.startsWith(lockName) || isTemporary(name) || parts.includes(name));
    });
  } catch (error) {
    if (errorCode(error) === '') throw error;
    return false;
  }
}

/** undefined where another start works there, or where a folder that was there already cannot be written to. */
function lockOf(folder: string, made: boolean, options: LockOptions): RunLock | undefined {
  try {
    return acquireLock(folder, options);
  } catch (error) {
    if (error instanceof UserError && (error.kind === 'locked' || !made)) return undefined;
    throw error;
  }
}

function localDate(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
