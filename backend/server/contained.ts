/**
 * Paths that stay where they belong. A run folder may come from anybody: a symbolic link in it must not make the editor
 * show another file of the user's, and a name must not climb out of the folder.
 */
import fs from 'node:fs';
import path from 'node:path';
import { errorCode, onDisk } from '../files/disk.ts';
import { UserError } from '../protocol/errors.ts';
import { type RunPaths, runPaths } from '../runs/folder/run-folder.ts';

/**
 * The real path of something in a folder, links followed; read that one.
 * @param name relative, e.g. `samples/step-00000010.png`
 * @throws UserError('io') when it does not exist, or lies outside of the folder, whatever the detour
 */
export function contained(folder: string, name: string): string {
  const file = path.join(folder, name);
  if (
    name === '' ||
    name.includes('\0') ||
    path.isAbsolute(name) ||
    !isInside(path.resolve(folder), path.resolve(file))
  ) {
    throw outside(JSON.stringify(name), folder);
  }
  const real = onDisk('read', file, () => fs.realpathSync(file));
  if (!isInside(fs.realpathSync(folder), real)) throw outside(file, folder);
  return real;
}

/** As `contained`, but undefined for what does not exist. */
export function containedIfThere(folder: string, name: string): string | undefined {
  try {
    return contained(folder, name);
  } catch (error) {
    if (error instanceof UserError && errorCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The paths of a run folder that a request names.
 * @throws UserError('data') when it is none, UserError('io') when its parts are links that lead outside
 */
export function requireRunFolder(folder: string): RunPaths {
  const hint = 'Name the folder of a run.';
  if (!path.isAbsolute(folder) || folder.includes('\0')) {
    throw new UserError('data', `${JSON.stringify(folder)} is not an absolute path`, hint);
  }
  const paths = runPaths(path.resolve(folder));
  if (!containedIfThere(paths.folder, path.basename(paths.info))) {
    throw new UserError('data', `${paths.folder} is not a run folder: it has no ${path.basename(paths.info)}`, hint);
  }
  // events/ may be a link to another disk, where a run has written through it: only event files are read there.
  for (const part of [paths.config, paths.samples, paths.fields]) {
    containedIfThere(paths.folder, path.basename(part));
  }
  return paths;
}

/** Whether `file` lies below `folder`; both absolute. */
function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

function outside(what: string, folder: string): UserError {
  return new UserError('io', `${what} leads out of ${folder}`, 'Only files in the folder itself are shown.');
}
