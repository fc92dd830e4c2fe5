/** What a reader is asked, as JSON in an expression. */
import { type Cut, mostShown } from '../../backend/protocol/values/value.ts';
import { mostCounted } from './limits.ts';

export interface ValueQuestion {
  /** Written by a person, in the language of the program. */
  readonly expression: string;
  /** Looks at the array in another shape with as many numbers; null: in its own. */
  readonly shape: readonly number[] | null;
  /** Whether statistics are wanted, which the whole array has to be read for. */
  readonly count: boolean;
  /** What is wanted to be seen; null: only what the array is. */
  readonly cut: Cut | null;
}

/** A literal of both Python and JavaScript: in JSON strings every escape means the same to all three. */
export function questionLiteral({ shape, count, cut }: ValueQuestion): string {
  return literal(JSON.stringify({ shape, count, picture: cut, mostCounted, mostShown }));
}

/** Text as a string literal of ASCII in Python and in JavaScript. */
export function literal(text: string): string {
  const escaped = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(/[^ -~]/g, escaped);
}
