/** Folders: made, listed, and cleared of what killed processes left half-written. */
import fs from 'node:fs';
import path from 'node:path';
import { isTemporary } from './atomic.ts';
import { errorCode, onDisk } from './disk.ts';

/** Creates a folder and its parents. Throws UserError('io') naming it. */
export function makeFolder(folder: string): void {
  onDisk('create', folder, () => fs.mkdirSync(folder, { recursive: true }));
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
