/** Reads a config from disk. Paths in it are relative to the config file; they leave here absolute. */
import fs from 'node:fs';
import path from 'node:path';
import { type Config, mapPaths, parseConfig } from '../protocol/config/index.ts';
import { onDisk } from './disk.ts';

/** @throws UserError('io') or UserError('config') */
export function readConfigFile(file: string): Config {
  const text = onDisk('read', file, () => fs.readFileSync(file, 'utf8'));
  const config = resolvePaths(parseConfig(text, file), path.dirname(path.resolve(file)));
  return { ...config, name: config.name ?? path.basename(file).replace(/(\.dmd)?\.jsonc?$/, '') };
}

/** Makes the paths of a config absolute. */
export function resolvePaths(config: Config, base: string): Config {
  return mapPaths(config, (value) => path.resolve(base, value));
}
