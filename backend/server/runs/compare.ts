/** In which keys configs differ. */
import { readRoughly } from '../../protocol/config/index.ts';

export interface Difference {
  readonly key: string;
  /** JSON, null where the config does not have the key. */
  readonly values: (string | null)[];
}

/** What the text of a config holds, `{}` where it cannot be read. */
export const comparable = (text: string): Json => (readRoughly(text) ?? {}) as Json;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Keys are dotted paths, in the order in which they first come; lists are compared whole. */
export function differences(configs: readonly Json[]): Difference[] {
  const flat = configs.map((config) => new Map(leaves(config, '')));
  const keys = new Set(flat.flatMap((values) => [...values.keys()]));
  return [...keys].flatMap((key) => {
    const values = flat.map((leaf) => leaf.get(key) ?? null);
    return values.every((value) => value === values[0]) ? [] : [{ key, values }];
  });
}

function leaves(value: Json, key: string): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[key, JSON.stringify(value)]];
  const entries = Object.entries(value).filter(([name]) => key !== '' || name !== '$schema');
  return entries.flatMap(([name, inner]) => leaves(inner, key === '' ? name : `${key}.${name}`));
}
