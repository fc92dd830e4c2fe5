/** The keys of a config that hold paths. */
import { sectionOf } from './distill.ts';
import type { Config } from './parse.ts';

const ofKind: Readonly<Record<Config['kind'], readonly string[]>> = {
  distill: [
    'teacher',
    'text.prompts',
    'text.decoder',
    'generator.initial',
    'record.quality.features',
    'record.quality.reference',
  ],
  teach: ['data.source', 'initial'],
  'teach-autoencoder': ['initial'],
  'teach-text-encoder': ['tokenizer'],
  'teach-text': ['vae', 'tokenizer', 'initialText', 'initial'],
};

/** What is a name here and not a path. */
const names: Readonly<Record<string, readonly string[]>> = {
  'data.source': ['scenes'],
  'text.prompts': ['scenes'],
  'record.quality.features': ['scenes', 'fashion-mnist'],
};

/** The config with every path replaced; `builtin:...`, `scenes` and their like are names, not paths. */
export function mapPaths(config: Config, replace: (path: string) => string): Config {
  const own = config.kind === 'distill' ? sectionOf(config.method).paths : [];
  const keys = ['out', 'launch.mpi.hostfile', ...ofKind[config.kind], ...own];
  return keys.reduce((mapped, key) => {
    const isName = (value: string) => value.startsWith('builtin:') || (names[key] ?? []).includes(value);
    return replaced(mapped, key.split('.'), (value) => (isName(value) ? value : replace(value)));
  }, config);
}

/** A copy with another text under a key that is there. */
function replaced<T>(value: T, [key, ...rest]: readonly string[], replace: (text: string) => string): T {
  if (key === undefined) return (typeof value === 'string' ? replace(value) : value) as T;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value;
  return { ...value, [key]: replaced((value as Record<string, unknown>)[key], rest, replace) };
}
