/** Names of run folders: `2025-01-31-scenes`, then `2025-01-31-scenes-2`. */
import fs from 'node:fs';
import path from 'node:path';
import { errorCode, onDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';

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

/** Creates a folder of its own for a run; one that exists is never used again. */
export function claimRunFolder(root: string, name: string, now: Date): string {
  makeFolder(root);
  const base = path.join(root, `${localDate(now)}-${slugOf(name)}`);
  for (let attempt = 1; ; attempt++) {
    const folder = attempt === 1 ? base : `${base}-${attempt}`;
    try {
      fs.mkdirSync(folder);
      return folder;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue;
      onDisk('create', folder, () => {
        throw error;
      });
    }
  }
}

function localDate(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
