/** JSON that is well formed and means harm: other kinds of values, huge numbers, deep nests, keys that mean something elsewhere. */
import type { Dice } from '../dice.ts';
import { damaged } from './bytes.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Written as they are: some that JavaScript would not write. */
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const numbers = [
  '0',
  '-1',
  '1',
  '0.5',
  '1e6',
  '1000000',
  '2147483648',
  '9007199254740993',
  '1e308',
  '1e999',
  '-1e999',
  '1e-320',
  '3',
];
const words = [
  '',
  ' ',
  'a',
  '../../../../etc/passwd',
  '/dev/zero',
  'a\0b',
  'null',
  '\u{1f600}',
  'NaN',
  'a.b.c',
  '~',
  '%s',
  '\\',
  'x'.repeat(300),
];
const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'length', '', '0', 'then', 'hasOwnProperty'];

/** The text of a value with one to five places made worse; now and then with damaged bytes besides. */
export function worseJson(value: unknown, dice: Dice): string {
  let out = structuredClone(value) as unknown;
  for (let times = 1 + dice.size(4); times > 0; times--) out = worse(out, dice);
  const text = written(out, dice);
  return dice.chance(0.1) ? damaged(text, dice).toString('latin1') : text;
}

function worse(root: unknown, dice: Dice): unknown {
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (value: unknown) => {
    if (typeof value !== 'object' || value === null || value instanceof Raw) return;
    // Of a long list, a few are enough.
    for (const key of Object.keys(value).slice(0, 200)) {
      places.push({ holder: value as Record<string, unknown>, key });
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(root);
  if (places.length === 0 || dice.chance(0.02)) return evil(root, dice);
  const { holder, key } = dice.of(places);
  const kind = dice.below(10);
  if (kind === 0) delete holder[key];
  else if (kind === 1) own(holder, dice.of(keys), evil(holder[key], dice));
  else if (kind === 2) own(holder, `${key}${dice.below(3)}`, holder[key]);
  else if (kind === 3) {
    const other = dice.of(places);
    own(holder, key, new Raw(written(other.holder[other.key], dice))); // a copy, or it would hold itself
  } else own(holder, key, evil(holder[key], dice));
  return root;
}

/** Not by assignment, which `__proto__` would take for another thing. */
function own(holder: object, key: string, value: unknown): void {
  if (Array.isArray(holder) && !/^\d+$/.test(key)) return;
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function evil(before: unknown, dice: Dice): unknown {
  switch (dice.below(12)) {
    case 0:
      return null;
    case 1:
      return dice.chance(0.5);
    case 2:
    case 3:
    case 4:
      return new Raw(dice.of(numbers));
    case 5:
      return dice.of(words);
    case 6:
      return [before];
    case 7:
      return { a: before };
    case 8: {
      const depth = dice.of([10, 60, 500, 5000, 100_000]);
      return new Raw(
        dice.chance(0.5) ? '['.repeat(depth) + ']'.repeat(depth) : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      );
    }
    case 9: {
      const one = dice.of(['0', '""', '[]', '{}', 'null', '[0,0]', '"ab"']);
      return new Raw(`[${Array.from({ length: 1 + dice.size(dice.chance(0.1) ? 3e5 : 3000) }, () => one).join()}]`);
    }
    case 10: {
      const count = 1 + dice.size(dice.chance(0.1) ? 5e4 : 500);
      return new Raw(`{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join()}}`);
    }
    default:
      return typeof before === 'string' ? before.repeat(dice.of([0, 2, 1000])).slice(0, 1e6) : [];
  }
}

function written(value: unknown, dice: Dice): string {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => written(item, dice)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.keys(value).map((key) => {
    const inner = (Object.getOwnPropertyDescriptor(value, key) as { value: Json }).value;
    return `${JSON.stringify(key)}:${written(inner, dice)}`;
  });
  if (entries.length > 0 && dice.chance(0.01)) entries.push(dice.of(entries)); // a key twice
  return `{${entries.join()}}`;
}

/** The same for a text that is JSON, or not. */
export function worseJsonText(text: string, dice: Dice): string {
  if (dice.chance(0.15)) return damaged(text, dice).toString('latin1');
  return worseJson(JSON.parse(text), dice);
}
