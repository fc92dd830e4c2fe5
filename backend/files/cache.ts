/** Where this program keeps what it can make or fetch again. */
import os from 'node:os';
import path from 'node:path';

/** A folder in the user's cache, which may not be there yet. */
export function cacheFolder(...names: readonly string[]): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  const base = xdg || (process.platform === 'win32' && local) || path.join(os.homedir(), '.cache');
  return path.join(base, 'dmd-workbench', ...names);
}
