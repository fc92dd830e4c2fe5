/**
 * Starts a run in a process of its own, which outlives this one: main.ts, detached, in a session of its own. Where the config wants
 * several ranks, that process is mpirun, and every rank is a main.ts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { errorFrom } from '../../files/describe-error.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RunRequest } from '../loop/open.ts';
import { ranksWanted } from '../ranks-wanted.ts';
import { type Answer, answerSchema, type Order } from './handshake.ts';
import { openStartLog, type StartLog } from './run-log.ts';
import { entry, environment, failure, flags, type StartOptions } from './run-program.ts';
import { startRanks } from './start-ranks.ts';

export interface StartedRun {
  readonly folder: string;
  readonly pid: number;
  /** For connectRun; '' when it cannot be reached. */
  readonly contact: string;
}

/**
 * Settles when the run has its folder, or cannot have one; the config is checked and its files are read by then. What the
 * process writes goes to run.log in the folder. SIGTERM stops it in order, with a checkpoint.
 * @throws UserError of every kind, as the run has it; 'cancelled' when the signal is aborted
 */
export async function startRunProcess(request: RunRequest, options: StartOptions = {}): Promise<StartedRun> {
  const wanted = ranksWanted(request, options.cwd ?? process.cwd());
  if (wanted && request.debug) {
    const hint = 'Debug it as one process: launch.mpi.ranks=1.';
    throw new UserError('usage', 'a run of several ranks cannot be debugged', hint);
  }
  const log = openStartLog(request.start);
  let begun = false;
  try {
    const { answer, pid } = wanted
      ? await startRanks(wanted, request, log, options)
      : await startAlone(request, log, options);
    if (answer.type === 'failed') throw errorFrom(answer.error);
    begun = true;
    return { folder: answer.folder, pid, contact: answer.contact };
  } finally {
    log.close(!begun);
  }
}

async function startAlone(request: RunRequest, log: StartLog, options: StartOptions) {
  const child = forkDetached(log, options);
  try {
    const answer = await handshake(child, { request, log: log.temporary }, log, options.signal);
    return { answer, pid: child.pid! };
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function forkDetached({ output }: StartLog, { cwd, execArgv, program = entry() }: StartOptions): ChildProcess {
  return fork(program, [], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    serialization: 'advanced',
    env: environment(),
    execArgv: flags(execArgv),
    ...(cwd === undefined ? {} : { cwd }),
    windowsHide: true,
  } as Parameters<typeof fork>[2]);
}

/** The process's one answer, whatever becomes of it. */
function handshake(child: ChildProcess, order: Order, log: StartLog, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      child.kill('SIGKILL');
      reject(new UserError('cancelled', 'the start was cancelled'));
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    const settle = (answer: Answer) => {
      signal?.removeEventListener('abort', abort);
      resolve(answer);
    };
    child.once('message', (value) => {
      const { success, data } = answerSchema.safeParse(value);
      settle(success ? data : failure('the run process answered what makes no sense', log));
    });
    child.once('error', (error) => settle(failure(`the run process cannot be started: ${error.message}`, log)));
    child.once('exit', (code, by) => {
      const fail = () =>
        settle(failure(`the run process ended before the run began (${by ?? `exit code ${code}`})`, log));
      // What it said last is read before the channel counts as closed.
      if (child.connected) child.once('disconnect', () => setImmediate(fail));
      else setImmediate(fail);
    });
    child.send(order, (error) => {
      if (error) settle(failure(`the run process does not listen: ${error.message}`, log));
    });
  });
}
