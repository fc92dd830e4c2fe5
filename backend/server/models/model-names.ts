/** Which models there are: built in, written by runs, and those that the person named. */
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { listRuns } from '../../runs/run-folder.ts';

const outputs = ['generator.safetensors', 'teacher.safetensors'];

/** As `openModel` takes them, without repetition; the newest run first. */
export function modelNames(roots: readonly string[], files: readonly string[]): string[] {
  const runs = roots.filter((root) => isAbsolute(root)).flatMap(runsIn);
  const written = runs.flatMap((run) => outputs.map((name) => join(run, name))).filter((file) => existsSync(file));
  const named = files.filter((file) => isAbsolute(file));
  return [...new Set(['builtin:scenes', 'builtin:scenes/teacher', ...written, ...named])];
}

/** A folder that cannot be read has no models; the runs view says what is wrong with it. */
function runsIn(root: string): string[] {
  try {
    return listRuns(root).map(({ paths }) => paths.folder);
  } catch {
    return [];
  }
}
