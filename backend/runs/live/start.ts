/** Starts a run in a process of its own, which outlives this one: main.ts, detached, in a session of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { errorFrom } from '../../files/describe-error.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RunRequest } from '../loop/open.ts';
import { type Answer, answerSchema, type Order } from './handshake.ts';
import { openStartLog, type StartLog } from './run-log.ts';

export interface StartOptions {
  /** What relative paths in `set` are taken from. Default: this process's folder. */
  readonly cwd?: string;
  /** Gives up a start that has not come to its run folder yet, and ends its process. */
  readonly signal?: AbortSignal;
  /** Node's flags. Default: those of this process, but for the debugger's. */
  readonly execArgv?: readonly string[];
}

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
  const log = openStartLog(request.start);
  let begun = false;
  try {
    const child = forkDetached(log, options);
    try {
      const answer = await handshake(child, { request, log: log.temporary }, log, options.signal);
      if (answer.type === 'failed') throw errorFrom(answer.error);
      begun = true;
      return { folder: answer.folder, pid: child.pid!, contact: answer.contact };
    } finally {
      if (child.connected) child.disconnect();
      child.unref();
    }
  } finally {
    log.close(!begun);
  }
}

function forkDetached({ output }: StartLog, { cwd, execArgv }: StartOptions): ChildProcess {
  return fork(entry(), [], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    serialization: 'advanced',
    env: environment(),
    execArgv: [...(execArgv ?? process.execArgv.filter((flag) => !flag.startsWith('--inspect')))],
    ...(cwd === undefined ? {} : { cwd }),
    windowsHide: true,
  } as Parameters<typeof fork>[2]);
}

/** Beside this file in the sources; in dist/ every bundle lies in one folder. */
function entry(): string {
  const name = import.meta.url.endsWith('.ts') ? './main.ts' : './run-process.js';
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Electron is a Node only with its switch; another Node must not pass it on. The editor's debugger stays out of it. */
function environment(): NodeJS.ProcessEnv {
  const { ELECTRON_RUN_AS_NODE: _, VSCODE_INSPECTOR_OPTIONS: __, ...env } = process.env;
  return process.versions.electron ? { ...env, ELECTRON_RUN_AS_NODE: '1' } : env;
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

function failure(message: string, log: StartLog): Answer {
  const tail = log.tail();
  return {
    type: 'failed',
    error: { kind: 'bug', message: tail ? `${message}\n${tail}` : message, hint: '', stack: '' },
  };
}
