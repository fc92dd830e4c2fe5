/**
 * What a run writes to and deletes in: all of it has to lie in the run's folder. A run folder may come from anybody, and
 * where `samples/` is a link to somebody's pictures, going back to a step would delete them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { containedIfThere } from '../../files/contained.ts';
import { errorCode, onDisk } from '../../files/disk.ts';

/** Folders of runs of every kind, those of what they make at their end among them. */
const parts = ['samples', 'fields', 'checkpoints', 'pairs', 'embeddings', 'generator', 'teacher', 'vae', 'text'];

/**
 * Looks at the parts that are there, and at the folders in them. `events/` is left aside: it may be a link to another disk, and a
 * run only adds files of new names to it.
 * @throws UserError('io') that names the link
 */
export function refuseForeignParts(folder: string): void {
  for (const part of parts) {
    containedIfThere(folder, part);
    for (const name of linksIn(path.join(folder, part))) containedIfThere(folder, path.join(part, name));
  }
}

/** Those that lead to folders: a link in place of a file is replaced or deleted itself. */
function linksIn(part: string): string[] {
  return onDisk('read', part, () => {
    try {
      const entries = fs.readdirSync(part, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isSymbolicLink() && isFolder(path.join(part, entry.name)))
        .map((e) => e.name);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
      throw error;
    }
  });
}

function isFolder(link: string): boolean {
  return fs.statSync(link, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
