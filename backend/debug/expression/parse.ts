/**
 * The grammar of expressions, lowest first:
 *
 *   a || b    a && b    a < b, <=, >, >=, ==, !=    a + b, a - b    a * b, a / b, a % b    -a, +a, !a    a ** b
 *   a[0, 1:3, :]    name.with.dots    `any tag`    name(a, b)    (a)    1.5e-3
 *
 * An assignment is `name = a` or `name[...] = a`. Nothing is computed here.
 */
import { type Token, tokensOf, wrong } from './tokens.ts';

/** One place along an axis, or a range of it; `from` and `to` left out reach to the ends. */
export type Index =
  | { readonly kind: 'one'; readonly of: Expression }
  | { readonly kind: 'range'; readonly from: Expression | null; readonly to: Expression | null };

export type Expression = { readonly at: number } & (
  | { readonly kind: 'number'; readonly value: number }
  /** Words with dots between them: a tensor or number of that name, or a property of one. */
  | { readonly kind: 'name'; readonly words: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly of: readonly Expression[] }
  | { readonly kind: 'unary'; readonly sign: string; readonly of: Expression }
  | { readonly kind: 'binary'; readonly sign: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'index'; readonly of: Expression; readonly indices: readonly Index[] }
  | { readonly kind: 'property'; readonly of: Expression; readonly name: string }
);

export interface Assignment {
  readonly target: Expression;
  readonly value: Expression;
}

const comparisons = ['<', '<=', '>', '>=', '==', '!='];
/** From loose to tight. */
const levels: readonly (readonly string[])[] = [['||'], ['&&'], comparisons, ['+', '-'], ['*', '/', '%']];
/** Deeper ones come from no person's hand. */
const deepest = 100;

/** Throws UserError('usage') that says what is wrong, and where. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(tokensOf(text));
  const parsed = parser.binary(0);
  parser.expectEnd();
  return parsed;
}

/** An expression, or an assignment to a name or to a part of it. Throws as `parseExpression` does. */
export function parseStatement(text: string): Expression | Assignment {
  const parser = new Parser(tokensOf(text));
  const target = parser.binary(0);
  if (!parser.take('=')) {
    parser.expectEnd();
    return target;
  }
  if (target.kind !== 'name' && !(target.kind === 'index' && target.of.kind === 'name')) {
    throw wrong('only a name, or a part of what it names, can be set', target.at);
  }
  const value = parser.binary(0);
  parser.expectEnd();
  return { target, value };
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  take(sign: string): Token | undefined {
    const token = this.#token;
    if (token.kind !== 'sign' || token.text !== sign) return undefined;
    this.#next += 1;
    return token;
  }

  expectEnd(): void {
    if (this.#token.kind !== 'end') throw this.#unexpected('an operator or the end');
  }

  binary(level: number): Expression {
    const signs = levels[level];
    if (!signs) return this.#unary();
    let left = this.binary(level + 1);
    for (let sign = this.#oneOf(signs); sign; sign = this.#oneOf(signs)) {
      const right = this.binary(level + 1);
      left = { kind: 'binary', sign: sign.text, left, right, at: sign.at };
      if (signs === comparisons && this.#oneOf(signs)) {
        throw wrong('comparisons are joined by && or ||', this.#tokens[this.#next - 1]!.at);
      }
    }
    return left;
  }

  #oneOf(signs: readonly string[]): Token | undefined {
    for (const sign of signs) {
      const token = this.take(sign);
      if (token) return token;
    }
    return undefined;
  }

  #unary(): Expression {
    this.#depth += 1;
    if (this.#depth > deepest) throw wrong('this is nested too deeply', this.#token.at);
    try {
      const sign = this.#oneOf(['-', '+', '!']);
      if (sign) return { kind: 'unary', sign: sign.text, of: this.#unary(), at: sign.at };
      const base = this.#postfix();
      const power = this.take('**');
      return power ? { kind: 'binary', sign: '**', left: base, right: this.#unary(), at: power.at } : base;
    } finally {
      this.#depth -= 1;
    }
  }

  #postfix(): Expression {
    let of = this.#primary();
    for (;;) {
      const bracket = this.take('[');
      if (bracket) {
        of = { kind: 'index', of, indices: this.#list(']', () => this.#index()), at: bracket.at };
        if (of.indices.length === 0) throw wrong('an index is missing', bracket.at);
      } else if (this.take('.')) {
        const { kind, text, at } = this.#token;
        if (kind !== 'name') throw this.#unexpected('a property such as mean');
        this.#next += 1;
        of = { kind: 'property', of, name: text, at };
      } else {
        return of;
      }
    }
  }

  #primary(): Expression {
    const { kind, text, at } = this.#token;
    if (kind === 'number') {
      this.#next += 1;
      return { kind: 'number', value: Number(text), at };
    }
    if (kind === 'name') return this.#name();
    if (!this.take('(')) throw this.#unexpected('a number, a name or (');
    const inner = this.binary(0);
    this.#expect(')', at);
    return inner;
  }

  #name(): Expression {
    const { text, at } = this.#token;
    this.#next += 1;
    if (this.take('(')) return { kind: 'call', name: text, of: this.#list(')', () => this.binary(0)), at };
    const words = [text];
    while (this.#token.text === '.' && this.#tokens[this.#next + 1]?.kind === 'name') {
      words.push(this.#tokens[this.#next + 1]!.text);
      this.#next += 2;
    }
    return { kind: 'name', words, at };
  }

  #list<T>(close: ')' | ']', item: () => T): T[] {
    const { at } = this.#tokens[this.#next - 1]!;
    const items: T[] = [];
    if (this.take(close)) return items;
    do items.push(item());
    while (this.take(','));
    this.#expect(close, at);
    return items;
  }

  #index(): Index {
    const ends = () => [':', ',', ']'].includes(this.#token.text) && this.#token.kind === 'sign';
    const from = ends() ? null : this.binary(0);
    if (!this.take(':')) {
      if (!from) throw this.#unexpected('an index or :');
      return { kind: 'one', of: from };
    }
    return { kind: 'range', from, to: ends() ? null : this.binary(0) };
  }

  #expect(sign: string, opened: number): void {
    if (this.take(sign)) return;
    throw this.#unexpected(`${sign} for what was opened at ${opened + 1}`);
  }

  #unexpected(wanted: string) {
    const { kind, text, at } = this.#token;
    return wrong(`${kind === 'end' ? 'the end' : JSON.stringify(text)} where ${wanted} is expected`, at);
  }
}
