/** Cuts an expression's text into tokens, each with where it stands. */
import { UserError } from '../../protocol/errors.ts';

export interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end';
  /** Of a name in backticks, what stands between them. */
  readonly text: string;
  /** UTF-16 units from the start. */
  readonly at: number;
  readonly end: number;
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  // A result (#3), a value inside a network (@12), or a word.
  ['name', /[#@]\d+|[\p{L}_][\p{L}\p{N}_]*/uy],
  ['sign', /\*\*|&&|\|\||[<>=!]=|[-+*/%<>!=()[\],.:]/y],
];
const space = /\s+/y;
const quoted = /`([^`]*)`/y;

/** What is wrong with an expression, and where: `... at 5` counts characters from 1. */
export function wrong(what: string, at: number): UserError {
  return new UserError('usage', `${what}, at ${at + 1}`, 'See "Expressions" in docs/debugger.md.');
}

/** The last one is `end`. Throws UserError('usage') with the place. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = skip(text, 0);
  while (at < text.length) {
    const token = quotedName(text, at) ?? plain(text, at);
    tokens.push(token);
    at = skip(text, token.end);
  }
  tokens.push({ kind: 'end', text: '', at: text.length, end: text.length });
  return tokens;
}

function skip(text: string, at: number): number {
  space.lastIndex = at;
  return space.test(text) ? space.lastIndex : at;
}

function quotedName(text: string, at: number): Token | undefined {
  if (text[at] !== '`') return undefined;
  quoted.lastIndex = at;
  const [all, name] = quoted.exec(text) ?? [];
  if (all === undefined || name === undefined) throw wrong('this ` has no second one', at);
  return { kind: 'name', text: name, at, end: at + all.length };
}

function plain(text: string, at: number): Token {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    if (found !== undefined) return { kind, text: found, at, end: at + found.length };
  }
  throw wrong(`${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))} means nothing here`, at);
}
