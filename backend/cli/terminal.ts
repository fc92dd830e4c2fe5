/**
 * The terminal is never worth the work. What cannot be printed (a full disk under a log, a pipe or terminal that is closed)
 * is lost and the work goes on; a command that only prints fails for it, in the end, or ends quietly where nobody reads.
 */
import { asUserError, errorCode } from '../files/disk.ts';
import { exitCodes } from '../protocol/errors.ts';

/** Whether somebody may look on, as it was when the program began. */
const watched = Boolean(process.stdout.isTTY || process.stderr.isTTY);

/** Pieces of work that end in order when asked to. */
let working = 0;
let onlyPrints = true;
let lost: unknown;

/** Call it once, before anything is printed. */
export function surviveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const failed = (error: unknown) => outputFailed(stream, error);
    stream.on('error', failed);
    // A full disk is told by the call itself, in some versions of Node; a closed pipe later.
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = (...args: unknown[]) => {
      try {
        return write(...args);
      } catch (error) {
        failed(error);
        return false;
      }
    };
  }
  // As nohup has it, whose ignoring of the signal Node undoes.
  if (!watched) process.on('SIGHUP', () => {});
  for (const [name, listener] of between) process.on(name, listener);
}

/**
 * When there is nothing left to do, Node takes itself apart before it ends, and then no longer hears signals: one that comes that late
 * would end the process in place of its exit code. Ended like this, it hears them to the last.
 */
export function endWithSignalsHeard(): void {
  process.on('beforeExit', () => process.exit());
}

/** For commands that are not asked to end in order: the system ends them, wherever they are. */
export function leaveSignalsToSystem(): void {
  for (const [name, listener] of between) process.off(name, listener);
}

/** Why standard output is not whole, unless the command has more to it than what it prints. */
export function lostOutput(): unknown {
  return onlyPrints ? lost : undefined;
}

/** From now on what the command does counts, not what it prints. */
export function outputIsOptional(): void {
  onlyPrints = false;
}

const reasons = {
  SIGINT: '',
  SIGTERM: 'the process was asked to end (SIGTERM)',
  SIGHUP: 'its terminal was closed (SIGHUP); with nohup, and its output in a file, it goes on',
} as const;
/** Where nobody looks on, a closed terminal is no reason. */
const signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).filter((name) => name !== 'SIGHUP' || watched);

/** Before there is work that listens, and after it, there is nothing to end in order. */
const between = signals.map((name) => {
  const heard = () => {
    if (working > 0) return;
    if (reasons[name]) process.stderr.write(`stopping: ${reasons[name]}\n`);
    process.exit(exitCodes.cancelled);
  };
  return [name, heard] as const;
});

/** Calls `stop` for every signal that asks the program to end, until disposed of; `why` is '' for Ctrl-C. */
export function listenForStop(stop: (why: string) => void): { dispose(): void } {
  const listeners = signals.map((name) => [name, () => stop(reasons[name])] as const);
  for (const [name, listener] of listeners) process.on(name, listener);
  working += 1;
  return {
    dispose() {
      for (const [name, listener] of listeners) process.off(name, listener);
      working -= 1;
    },
  };
}

/**
 * Ends the process as Ctrl-C does where nobody listens; a shell calls that 130. For when a thread is in native code, which
 * turns `process.exit` into an abort.
 */
export function endAtOnce(): void {
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}

function outputFailed(stream: NodeJS.WriteStream, error: unknown): void {
  const code = errorCode(error);
  const closed = code === 'EPIPE' || (code === 'EIO' && stream.isTTY);
  if (closed && onlyPrints && working === 0) process.exit(0);
  if (!closed && stream === process.stdout) lost ??= asUserError(error, 'write', 'standard output');
}
