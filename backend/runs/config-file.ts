/** Reads a config from disk. Paths in it are relative to the config file; they leave here absolute. */
import fs from 'node:fs';
import path from 'node:path';
import { onDisk } from '../files/disk.ts';
import { type Config, mapPaths, parseConfig } from '../protocol/config/index.ts';

/** @throws UserError('io') or UserError('config') */
export function readConfigFile(file: string): Config {
  return configFromText(
    onDisk('read', file, () => fs.readFileSync(file, 'utf8')),
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

/** Makes the paths of a config absolute. */
export function resolvePaths(config: Config, base: string): Config {
  return mapPaths(config, (value) => path.resolve(base, value));
}
