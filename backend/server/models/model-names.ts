/** Which models there are: built in, written by runs, and those that the person named. */
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { modelPath } from '../../models/model-file.ts';
import { runOutputs } from '../../runs/folder/lineage.ts';
import { listRuns } from '../../runs/folder/run-folder.ts';

/** A built-in model has one name here; the others are for the command line. */
const builtin = ['builtin:scenes', 'builtin:scenes/teacher', 'builtin:scenes-text', 'builtin:scenes-text/teacher'];

/** As `openModel` takes them, without repetition; the newest run first. */
export function modelNames(roots: readonly string[], files: readonly string[]): string[] {
  const runs = roots.filter((root) => isAbsolute(root)).flatMap(runsIn);
  const written = runs.flatMap((run) => runOutputs.map((name) => join(run, name))).filter((file) => existsSync(file));
  const named = files.filter((file) => isAbsolute(file));
  return [...new Set([...builtin.filter(isBuiltin), ...written, ...named])];
}

/** Whether it came with this package. */
function isBuiltin(name: string): boolean {
  try {
    return existsSync(modelPath(name));
  } catch {
    return false;
  }
}

/** A folder that cannot be read has no models; the runs view says what is wrong with it. */
function runsIn(root: string): string[] {
  try {
    return listRuns(root).map(({ paths }) => paths.folder);
  } catch {
    return [];
  }
}
