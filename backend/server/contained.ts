/** The run folders that requests name: whatever is in one, no request shows a file from outside of it. */
import path from 'node:path';
import { containedIfThere } from '../files/contained.ts';
import { UserError } from '../protocol/errors.ts';
import { isEventFolder } from '../runs/folder/event-folder.ts';
import { type RunPaths, runPaths } from '../runs/folder/run-folder.ts';

export { contained, containedIfThere } from '../files/contained.ts';

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
  if (!containedIfThere(paths.folder, path.basename(paths.info)) && !isEventFolder(paths.folder)) {
    throw new UserError('data', `${paths.folder} is not a run folder: it has no ${path.basename(paths.info)}`, hint);
  }
  // events/ may be a link to another disk, where a run has written through it: only event files are read there.
  for (const part of [paths.config, paths.samples, paths.fields]) {
    containedIfThere(paths.folder, path.basename(part));
  }
  return paths;
}
