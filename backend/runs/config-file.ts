/** Reads a config from disk. Paths in it are relative to the config file; they leave here absolute. */
import fs from 'node:fs';
import path from 'node:path';
import { type Config, parseConfig } from '../protocol/config/index.ts';
import { onDisk } from './disk.ts';

/** @throws UserError('io') or UserError('config') */
export function readConfigFile(file: string): Config {
  const text = onDisk('read', file, () => fs.readFileSync(file, 'utf8'));
  const config = resolvePaths(parseConfig(text, file), path.dirname(path.resolve(file)));
  return { ...config, name: config.name ?? path.basename(file).replace(/(\.dmd)?\.jsonc?$/, '') };
}

/** Makes the paths of a config absolute; `builtin:...` and `scenes` are names, not paths. */
export function resolvePaths(config: Config, base: string): Config {
  const resolve = (value: string) => (value.startsWith('builtin:') ? value : path.resolve(base, value));
  const out = config.out === undefined ? {} : { out: resolve(config.out) };
  if (config.kind === 'teach') {
    const { source } = config.data;
    const initial = config.initial === undefined ? {} : { initial: resolve(config.initial) };
    return {
      ...config,
      ...out,
      ...initial,
      data: { ...config.data, source: source === 'scenes' ? source : resolve(source) },
    };
  }
  const { lpipsWeights, vggWeights, pairs } = config.regression;
  return {
    ...config,
    ...out,
    teacher: resolve(config.teacher),
    regression: {
      ...config.regression,
      ...(lpipsWeights === undefined ? {} : { lpipsWeights: resolve(lpipsWeights) }),
      ...(vggWeights === undefined ? {} : { vggWeights: resolve(vggWeights) }),
      pairs: pairs.path === undefined ? pairs : { ...pairs, path: resolve(pairs.path) },
    },
  };
}
