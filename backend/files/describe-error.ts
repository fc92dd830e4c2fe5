/** Errors as data, and back: between threads an Error loses its class. */
import { UserError } from '../protocol/errors.ts';
import type { ErrorMessage } from '../protocol/run-messages.ts';
import { systemErrorWords } from './disk.ts';

/** What the operating system refuses is no bug, wherever it comes from. */
export function describeError(thrown: unknown): ErrorMessage {
  const error = systemErrorWords(thrown);
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  if (error instanceof UserError) return { kind: error.kind, message, hint: error.hint, stack };
  return { kind: 'bug', message, hint: '', stack };
}

/** Where it came from is where it was thrown, not here; where that is not known a log has its words. */
export function errorFrom({ kind, message, hint, stack }: ErrorMessage): Error {
  const error = kind === 'bug' ? new Error(message) : new UserError(kind, message, hint);
  error.stack = stack || String(error);
  return error;
}
