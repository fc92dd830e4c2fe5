/** The value under a dotted key; undefined where there is none. */
export function valueAt(value: unknown, key: string): unknown {
  return key.split('.').reduce((inside, part) => (inside as Record<string, unknown> | undefined)?.[part], value);
}
