/** The one funnel for errors: a person gets what happened and what to do next, a machine one JSON object. */
import { CommanderError } from 'commander';
import { systemErrorWords } from '../files/disk.ts';
import { exitCodes, UserError } from '../protocol/errors.ts';
import { printable } from '../protocol/printable.ts';

/** Exit code of a bug: something was thrown that nobody meant a person to see. */
const bugCode = 70;

export interface ErrorStyle {
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Prints the error and returns the exit code. */
export function reportError(thrown: unknown, style: ErrorStyle): number {
  const error = systemErrorWords(thrown);
  if (error instanceof CommanderError) return reportCommander(error, style);
  if (error instanceof UserError) {
    print({ kind: error.kind, message: error.message, hint: error.hint }, style, style.verbose ? stackOf(error) : '');
    return exitCodes[error.kind];
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = style.verbose ? '' : 'This is a bug in dmd; run the command again with --verbose to see where.';
  print({ kind: 'bug', message, hint }, style, style.verbose ? stackOf(error) : '');
  return bugCode;
}

/** Help and version arrive as errors too, with exit code 0 and already printed. */
function reportCommander(error: CommanderError, style: ErrorStyle): number {
  if (error.exitCode === 0) return 0;
  const message = error.message.replace(/^error: /, '');
  print(
    { kind: 'usage', message, hint: 'dmd --help lists the commands, dmd COMMAND --help their options.' },
    style,
    '',
  );
  return exitCodes.usage;
}

function print(error: { kind: string; message: string; hint: string }, style: ErrorStyle, stack: string): void {
  if (style.json) process.stdout.write(`${JSON.stringify({ event: 'error', ...error })}\n`);
  process.stderr.write(`dmd: ${printable(error.message)}\n`);
  if (error.hint) process.stderr.write(`     ${printable(error.hint)}\n`);
  if (stack) process.stderr.write(`${printable(stack)}\n`);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : '';
  return `${error.stack}${cause}`;
}
