/** What an expression comes to, where its names mean something. Nothing is changed, nothing but arithmetic is done. */

import type { TensorData } from '../../graph/tensor-data.ts';
import { type Computed, isTensor, mapped, type Place, sliced } from './array.ts';
import { called, constants, property } from './functions.ts';
import type { Expression, Index } from './parse.ts';
import { wrong } from './tokens.ts';

/** What names mean. */
export interface Names {
  /** A number that is known, or a tensor that is read when its numbers are needed; undefined: no such thing. To be read only. */
  find(name: string): number | (() => Promise<TensorData>) | undefined;
  /** All of them, for completion and for the words of an error. */
  list(): readonly { readonly label: string; readonly kind: 'tensor' | 'number' | 'setting' }[];
}

const truth = (value: number) => value !== 0 && !Number.isNaN(value);

const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
};

/** Throws UserError('usage') with the place of what cannot be computed. */
export async function evaluate(expression: Expression, names: Names): Promise<Computed> {
  const { at } = expression;
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'name':
      return named(expression.words, names, at);
    case 'call': {
      const values: Computed[] = [];
      for (const of of expression.of) values.push(await evaluate(of, names));
      return called(expression.name, values, at);
    }
    case 'unary': {
      const value = await evaluate(expression.of, names);
      const { sign } = expression;
      if (sign === '!') return mapped((x) => Number(!truth(x)), [value], at);
      return sign === '-' ? mapped((x) => -x, [value], at) : value;
    }
    case 'binary':
      return binary(expression, names);
    case 'index': {
      const value = await evaluate(expression.of, names);
      if (!isTensor(value)) throw wrong('a single number has no parts', at);
      return sliced(value, await placesOf(expression.indices, names), at);
    }
    case 'property':
      return property(await evaluate(expression.of, names), expression.name, at);
  }
}

/** Whether a condition holds. Throws UserError where it is not a single number. */
export async function holds(expression: Expression, names: Names): Promise<boolean> {
  return truth(await numberOf(expression, names));
}

/** Throws UserError where it is not a single number. */
export async function numberOf(expression: Expression, names: Names): Promise<number> {
  const value = await evaluate(expression, names);
  if (!isTensor(value)) return value;
  if (value.data.length === 1) return value.data[0]!;
  throw wrong(
    `this is [${value.shape}], not a single number: any(...), all(...) or .norm makes one of it`,
    expression.at,
  );
}

export async function placesOf(indices: readonly Index[], names: Names): Promise<Place[]> {
  const places: Place[] = [];
  for (const index of indices) {
    if (index.kind === 'one') places.push(await numberOf(index.of, names));
    else places.push({ from: await bound(index.from, names), to: await bound(index.to, names) });
  }
  return places;
}

async function bound(expression: Expression | null, names: Names): Promise<number | null> {
  if (!expression) return null;
  const value = await numberOf(expression, names);
  if (!Number.isInteger(value)) throw wrong(`${value} is no whole number, as an index is`, expression.at);
  return value;
}

async function binary(
  { sign, left, right, at }: Extract<Expression, { kind: 'binary' }>,
  names: Names,
): Promise<Computed> {
  if (sign === '&&') return Number((await holds(left, names)) && (await holds(right, names)));
  if (sign === '||') return Number((await holds(left, names)) || (await holds(right, names)));
  return mapped(operations[sign]!, [await evaluate(left, names), await evaluate(right, names)], at);
}

/** The longest beginning that names something; a word after it is a property of that. */
async function named(words: readonly string[], names: Names, at: number): Promise<Computed> {
  for (let count = words.length; count > 0; count--) {
    const name = words.slice(0, count).join('.');
    const found = names.find(name) ?? (Object.hasOwn(constants, name) ? constants[name] : undefined);
    if (found === undefined) continue;
    let value = typeof found === 'number' ? found : await found();
    for (const word of words.slice(count)) value = property(value, word, at);
    return value as Computed;
  }
  throw wrong(`there is no ${words.join('.')} here${likely(words[0]!, names)}`, at);
}

function likely(word: string, names: Names): string {
  const close = names.list().filter(({ label }) => label.toLowerCase().startsWith(word.slice(0, 2).toLowerCase()));
  return close.length === 0
    ? ''
    : `; there are ${close
        .slice(0, 5)
        .map(({ label }) => label)
        .join(', ')}`;
}
