/** Reads a config from disk. Paths in it are relative to the config file; they leave here absolute. */
import os from 'node:os';
import path from 'node:path';
import { onDisk } from '../files/disk.ts';
import { readText } from '../files/regular.ts';
import { type Config, mapPaths, parseConfig } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { expandPath, pathProblem } from '../protocol/path-text.ts';

/** @throws UserError('io') or UserError('config') */
export function readConfigFile(file: string): Config {
  return configFromText(
    onDisk('read', file, () => readText(file, 'config')),
    file,
  );
}

/**
 * The config that a file has, or would have if the text were saved in it.
 * @throws UserError('config')
 */
export function configFromText(text: string, file: string): Config {
  const config = resolvePaths(parseConfig(text, file), path.dirname(path.resolve(file)));
  return { ...config, name: config.name ?? path.basename(file).replace(/(\.dmd)?\.jsonc?$/, '') };
}

/**
 * Makes the paths of a config absolute, `~` and its like expanded.
 * @param before a config whose paths were resolved already: as they stand there they are right
 * @throws UserError('config') for what would need a shell or an editor to mean something
 */
export function resolvePaths(config: Config, base: string, before?: Config): Config {
  const known = new Set<string>();
  if (before) {
    mapPaths(before, (value) => {
      known.add(value);
      return value;
    });
  }
  return mapPaths(config, (value) => {
    if (known.has(value)) return value;
    const problem = pathProblem(value);
    if (problem === '') return path.resolve(base, expandPath(value, os.homedir()));
    throw new UserError('config', problem, 'Paths in a config are relative to its folder; ~ is your home folder.');
  });
}
