/** Folders: made, listed, and cleared of what killed processes left half-written. */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../protocol/errors.ts';
import { isTemporary } from './atomic.ts';
import { errorCode, onDisk } from './disk.ts';

/**
 * Creates a folder and its parents; one that is there, also as a link, is enough. Throws UserError('io') naming it. Ours,
 * because `mkdir` with `recursive` never ends where a folder cannot be made in one that is there (/proc).
 */
export function makeFolder(folder: string): void {
  onDisk('create', folder, () => makeAll(path.resolve(folder)));
}

function makeAll(folder: string): void {
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    // Some systems name another reason than EEXIST for a folder that is there, such as the root of a disk.
    if (isFolder(folder)) return;
    if (errorCode(error) === 'EEXIST') throw inTheWay(folder);
    const parent = path.dirname(folder);
    if (errorCode(error) !== 'ENOENT' || parent === folder) throw error;
    if (isFolder(parent)) {
      throw new UserError('io', `cannot create ${folder}: no folder can be made in ${parent}`, 'Choose another one.');
    }
    makeAll(parent);
    makeAll(folder);
  }
}

function inTheWay(folder: string): UserError {
  const what = leadsNowhere(folder) ? 'a link of that name leads nowhere' : 'something else of that name is there';
  const hint = 'Connect the disk that it leads to, or take it out of the way.';
  return new UserError('io', `cannot create ${folder}: ${what}`, hint);
}

/** Whether it is a link to something that is not there, such as a folder on a disk that is not connected. */
export function leadsNowhere(link: string): boolean {
  return fs.lstatSync(link, { throwIfNoEntry: false }) !== undefined && !fs.existsSync(link);
}

/** Throws what the disk says, except that nothing is there. */
export function isFolder(folder: string): boolean {
  return fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Deletes what killed processes left half-written in a folder (not in its sub-folders). Only for the one who holds
 * the run's lock: a temporary file of a living writer would go too.
 * @returns the names deleted
 */
export function removeLeftovers(folder: string): string[] {
  const names = listFolder(folder).filter(isTemporary);
  for (const name of names) {
    const leftover = path.join(folder, name);
    onDisk('delete', leftover, () => fs.rmSync(leftover, { recursive: true, force: true }));
  }
  return names;
}

/**
 * Deletes what killed processes left of one file, half-written beside it; what a living one still writes stays.
 * @returns the names deleted
 */
export function removeLeftoversOf(file: string): string[] {
  const folder = path.dirname(file);
  const start = `.${path.basename(file)}.`;
  const names = listFolder(folder).filter((name) => {
    if (!isTemporary(name) || !name.startsWith(start)) return false;
    return !isAlive(Number.parseInt(name.slice(start.length), 10));
  });
  for (const name of names) {
    const leftover = path.join(folder, name);
    onDisk('delete', leftover, () => fs.rmSync(leftover, { force: true }));
  }
  return names;
}

function isAlive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}

/** The names in a folder, sorted, [] where it does not exist. */
export function listFolder(folder: string): string[] {
  return onDisk('read', folder, () => {
    try {
      return fs.readdirSync(folder).sort();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  });
}
