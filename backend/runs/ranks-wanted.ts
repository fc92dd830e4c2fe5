/** How many ranks a run is to be started as. */
import { applyOverrides } from '../protocol/config/index.ts';
import { ranksToStart, type WantedRanks } from '../ranks/launch/wanted.ts';
import { resolvePaths } from './config-file.ts';
import { readConfig, readRun } from './folder/run-folder.ts';
import type { RunRequest } from './loop/open.ts';

/**
 * @param cwd what relative paths in `set` are taken from
 * @param env of this process
 * @returns null: this process is the run, or one rank of it; also where the folder is no run's, which the run itself says
 * @throws UserError('config')
 */
export function ranksWanted(
  { start, set }: Pick<RunRequest, 'start' | 'set'>,
  cwd: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): WantedRanks | null {
  if ('config' in start) return ranksToStart(resolvePaths(applyOverrides(start.config, set), cwd, start.config), env);
  const { info, paths } = readRun(start.folder);
  if (info === undefined) return null;
  const old = readConfig(paths);
  return ranksToStart(resolvePaths(applyOverrides(old, set), cwd, old), env);
}
