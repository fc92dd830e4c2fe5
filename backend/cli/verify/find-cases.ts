/** From the arguments of `dmd verify` to case folders. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../protocol/errors.ts';

export interface FoundCases {
  readonly folders: string[];
  /** Plain files among the arguments, as `golden/*` brings them: no cases. */
  readonly files: string[];
}

/**
 * A folder without case.json stands for the cases in it; without any it counts as a (damaged) case of its own.
 * Throws UserError('usage') for a path that does not exist.
 */
export async function findCases(paths: readonly string[]): Promise<FoundCases> {
  const found: FoundCases = { folders: [], files: [] };
  for (const path of paths) {
    const info = await stat(path).catch(() => null);
    if (!info) throw new UserError('usage', `There is no ${path}.`, 'Name case folders: folders with a case.json.');
    if (!info.isDirectory()) found.files.push(path);
    else if (isCase(path)) found.folders.push(path);
    else {
      const inside = (await readdir(path)).map((name) => join(path, name)).filter(isCase);
      found.folders.push(...(inside.length > 0 ? inside.sort() : [path]));
    }
  }
  return found;
}

const isCase = (folder: string) => existsSync(join(folder, 'case.json'));
