/**
 * The one error class for everything a person is meant to read.
 *
 * A message says what happened and to what (file, key, tensor); `hint` says what to do next. The kind decides the exit
 * code of `dmd` and how the editor presents the error. Everything else that is thrown is a bug and shows its stack.
 */
import { printable } from './printable.ts';

export type ErrorKind =
  | 'usage' // wrong command line or call
  | 'config' // unknown key, wrong type, impossible value in a config
  | 'data' // data set, picture or pair file missing or damaged
  | 'weights' // model file missing, damaged, refused or of the wrong architecture
  | 'device' // device not available or out of memory
  | 'locked' // another process works in this run folder
  | 'numeric' // NaN or Inf: nothing was committed
  | 'io' // disk full, permission, path
  | 'cancelled'; // the person asked to stop

/** Exit codes of the command line, by kind. 0 is success, 1 a check that missed its tolerance. */
export const exitCodes: Record<ErrorKind, number> = {
  usage: 2,
  config: 2,
  data: 3,
  weights: 3,
  device: 4,
  locked: 5,
  numeric: 6,
  io: 7,
  cancelled: 130,
};

/** What a person reads of one thing that somebody else named: a tensor, a key, a path. */
const longestWord = 1000;
const longestMessage = 8000;

/** A file may name its parts as it likes: with a megabyte, or with what clears a screen. */
function readable(words: string): string {
  const short = printable(words).replaceAll(
    new RegExp(`\\S{${longestWord},}`, 'gu'),
    (word) => `${word.slice(0, 200)}...${word.slice(-100)}`,
  );
  return short.length > longestMessage ? `${short.slice(0, longestMessage)} ...` : short;
}

export class UserError extends Error {
  readonly kind: ErrorKind;
  /** What to do next, one sentence; empty when the message says it all. */
  readonly hint: string;

  constructor(kind: ErrorKind, message: string, hint = '', options?: ErrorOptions) {
    super(readable(message), options);
    this.name = 'UserError';
    this.kind = kind;
    this.hint = readable(hint);
  }
}
