/** Where this package lies and which version it is, the same from the sources and from the bundle in dist/. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from './regular.ts';

const packageName = 'dmd-workbench';
let found: { root: string; version: string } | undefined;

/** The folder with package.json and media/. */
export function packageRoot(): string {
  return locate().root;
}

export function packageVersion(): string {
  return locate().version;
}

function locate(): { root: string; version: string } {
  if (found) return found;
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name, version } = JSON.parse(readText(manifest, 'record')) as { name?: string; version?: string };
      if (name === packageName && version) {
        found = { root: folder, version };
        return found;
      }
    }
    if (folder === dirname(folder)) throw new Error(`no package.json of ${packageName} above this file`);
  }
}
