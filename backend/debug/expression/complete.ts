/** What may be typed next in an expression. */
import type { Names } from './evaluate.ts';
import { functionNames, propertyNames } from './functions.ts';

export interface Completion {
  readonly label: string;
  readonly kind: 'tensor' | 'number' | 'setting' | 'function' | 'property';
}

const wordBefore = /[\p{L}_#@][\p{L}\p{N}_.]*$|[#@]$/u;

/** @param at UTF-16 units from the start. @returns what may stand in place of the text from `start` to `at` */
export function completions(text: string, at: number, names: Names): { start: number; items: Completion[] } {
  const before = text.slice(0, at);
  const [word = ''] = wordBefore.exec(before) ?? [];
  const start = at - word.length;
  const wanted = word.toLowerCase();
  const own = names.list().filter(({ label }) => label.toLowerCase().startsWith(wanted));
  const functions = functionNames
    .filter((name) => name.startsWith(wanted))
    .map((label): Completion => ({ label, kind: 'function' }));
  return { start, items: [...own, ...properties(word, names), ...functions] };
}

/** `grad.no` goes on with what a tensor of that name has. */
function properties(word: string, names: Names): Completion[] {
  const dot = word.lastIndexOf('.');
  const of = word.slice(0, Math.max(0, dot));
  if (typeof names.find(of) !== 'function') return [];
  const begun = word.slice(dot + 1).toLowerCase();
  return propertyNames
    .filter((name) => name.startsWith(begun))
    .map((name) => ({ label: `${of}.${name}`, kind: 'property' }));
}
