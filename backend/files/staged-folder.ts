/**
 * A folder that is there whole or not at all: made under a temporary name beside its place, and renamed into it. What a
 * killed process leaves behind is a `.tmp` entry, as with files.
 */
import fs from 'node:fs';
import path from 'node:path';
import { syncFolder, temporaryPath } from './atomic.ts';
import { onDisk } from './disk.ts';

export interface StagedFolder {
  /** Where to write. */
  readonly path: string;
  /** Puts it in its place, instead of what is there. Throws UserError('io'), and the old one stays. */
  place(): void;
  /** Deletes what was not placed; errors of the disk are not worth hiding another one. */
  discard(): void;
}

/**
 * Makes an empty folder that is to become `target`; the folder above must exist. Throws UserError('io') naming `target`.
 * @param temporary its name until then, for whoever has to clear up after a thread that was ended; default: a new one
 */
export function stageFolder(target: string, temporary?: string): StagedFolder {
  // A link stays a link.
  const place = onDisk('read', target, () => (fs.existsSync(target) ? fs.realpathSync(target) : path.resolve(target)));
  const staged = temporary ?? temporaryPath(place);
  onDisk('create', target, () => fs.mkdirSync(staged));
  return {
    path: staged,
    place: () => onDisk('write', target, () => swap(staged, place)),
    discard() {
      try {
        fs.rmSync(staged, { recursive: true, force: true });
      } catch {
        // It has a temporary name: everybody ignores it.
      }
    },
  };
}

function swap(staged: string, place: string): void {
  const old = fs.existsSync(place) ? temporaryPath(place) : null;
  if (old) fs.renameSync(place, old);
  try {
    fs.renameSync(staged, place);
  } catch (error) {
    if (old) fs.renameSync(old, place);
    throw error;
  }
  syncFolder(path.dirname(place));
  if (old) fs.rmSync(old, { recursive: true, force: true });
}
