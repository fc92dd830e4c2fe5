/**
 * One life of the backend: forked, greeted, asked, and ended. Every request ends: with its answer, in time, cancelled, or
 * with the process. No `vscode` in here.
 *
 * The process leads a group of its own, so that killing it takes its helpers along but neither the editor nor the runs, which
 * have left the group.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { homedir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { CancellationTokenSource, type MessageConnection, ParameterStructures } from 'vscode-jsonrpc/node';
import { UserError } from '../../backend/protocol/errors.ts';
import {
  initialize,
  ping,
  protocolVersion,
  type RequestDefinition,
  shutdown,
} from '../../backend/protocol/rpc/index.ts';
import { l10n } from '../l10n.ts';
import { answerError, disagreement } from './answer-error.ts';
import { openChannel } from './channel.ts';
import { LastLines } from './last-lines.ts';
import type { NodeChoice } from './node-choice.ts';

/** What a request needs of a vscode.CancellationToken. */
export interface CancelToken {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): { dispose(): void };
}

export interface ProcessLog {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

export interface ProcessOptions {
  readonly node: NodeChoice;
  /** The script that speaks the protocol. */
  readonly server: string;
  readonly log: ProcessLog;
  onNotification(method: string, params: unknown): void;
  readonly limits?: Partial<Limits>;
}

/** In milliseconds; tests make them short. */
interface Limits {
  /** From the request to shut down to SIGTERM. */
  readonly shutdown: number;
  /** From SIGTERM to SIGKILL. */
  readonly terminate: number;
  /** From a cancel to giving up on the answer to what was cancelled. */
  readonly cancel: number;
  /** How often a backend that works on something without a time limit is asked whether it still listens. */
  readonly pulse: number;
  /** How long it may take to answer that. */
  readonly ping: number;
}

const usual: Limits = { shutdown: 2000, terminate: 1000, cancel: 5000, pulse: 30_000, ping: 60_000 };

/** How a process ended. */
export interface End {
  /** It was told to. */
  readonly expected: boolean;
  /** After "the backend": "crashed (SIGSEGV)". */
  readonly how: string;
  readonly lastLines: readonly string[];
}

const keptLines = 40;
/** Output still on its way when a process has gone; a process that inherited the pipe could keep it open for ever. */
const drainMilliseconds = 300;

export class BackendProcess {
  /** Resolves when the process has gone; never rejects. */
  readonly ended: Promise<End>;
  /** Resolves when it has answered the first request; rejects with a UserError when it never will. */
  readonly ready: Promise<void>;

  readonly #options: ProcessOptions;
  readonly #limits: Limits;
  readonly #child: ChildProcess;
  readonly #connection: MessageConnection;
  readonly #output = new LastLines(keptLines);
  /** Told when the process has gone. */
  readonly #onEnd = new Set<(end: End) => void>();
  #end: End | null = null;
  /** Set when the process is ended on purpose, or why it was put down. */
  #verdict: { expected: boolean; how: string } | null = null;
  #stopping: Promise<void> | null = null;
  #unlimited = 0;
  #pulse: NodeJS.Timeout | null = null;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#limits = { ...usual, ...options.limits };
    const { node, server, log } = options;
    this.#child = fork(server, [], {
      execPath: node.path,
      execArgv: [],
      cwd: homedir(), // a current folder cannot be deleted on Windows
      env: { ...process.env, ...node.environment },
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: process.platform !== 'win32',
    });
    this.#output.follow(this.#child.stdout!, (line) => log.info(line));
    this.#output.follow(this.#child.stderr!, (line) => log.warn(line));
    this.#connection = openChannel(
      this.#child,
      (garbage) => this.#putDown(`sent something that is not a message: ${garbage}`),
      (problem) => log.warn(problem),
    );
    this.#connection.onNotification((method, params) => options.onNotification(method, params));
    this.#connection.onError(([error]) => log.warn(`The channel to the backend: ${error.message}`));
    this.#connection.listen();
    this.ended = this.#watchEnd();
    this.ready = this.#greet();
    this.ready.catch(() => {}); // whoever waits for it handles it
  }

  async request<P, R>(definition: RequestDefinition<P, R>, params: P, token?: CancelToken): Promise<R> {
    const { method, result, timeoutSeconds } = definition;
    if (token?.isCancellationRequested) throw cancelled();
    const cancel = new CancellationTokenSource();
    const answer = this.#send(method, params, cancel);
    if (timeoutSeconds === null) this.#unlimitedRequests(+1);
    let value: unknown;
    try {
      value = await this.#firstOf(answer, method, timeoutSeconds, cancel, token);
    } finally {
      if (timeoutSeconds === null) this.#unlimitedRequests(-1);
      cancel.dispose();
    }
    const checked = result.safeParse(value);
    if (!checked.success) throw disagreement(method, checked.error);
    return checked.data;
  }

  /** Tells the process to end, and sees to it. Resolves when it has gone. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #greet(): Promise<void> {
    const { node, log } = this.#options;
    const started = performance.now();
    const answer = await this.request(initialize, { protocolVersion }).catch((error: unknown) => {
      if (error instanceof Overdue) this.#putDown(l10n.t('did not greet in time'));
      else void this.stop();
      throw error;
    });
    if (answer.protocolVersion !== protocolVersion) {
      void this.stop();
      throw new UserError(
        'usage',
        `the backend speaks version ${answer.protocolVersion} of the protocol, this extension version ${protocolVersion}`,
        'Reload the window; if that does not help, install the extension again.',
      );
    }
    const milliseconds = Math.round(performance.now() - started);
    log.info(
      `Backend ${answer.version} runs as process ${answer.pid} on Node ${answer.node} at ${node.path} (${node.why}), ` +
        `ready in ${milliseconds} ms.`,
    );
  }

  #send(method: string, params: unknown, cancel: CancellationTokenSource): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#gone(method, this.#end));
    return this.#connection.sendRequest(method, ParameterStructures.byName, params, cancel.token).catch((error) => {
      throw answerError(method, error);
    });
  }

  /** The answer, or what comes before it: the end of the process, the time limit, a cancel that is not answered. */
  async #firstOf(
    answer: Promise<unknown>,
    method: string,
    timeoutSeconds: number | null,
    cancel: CancellationTokenSource,
    token: CancelToken | undefined,
  ): Promise<unknown> {
    const undo: (() => void)[] = [];
    const otherwise = new Promise<never>((_, reject) => {
      const after = (milliseconds: number, run: () => void) => {
        const timer = setTimeout(run, milliseconds);
        undo.push(() => clearTimeout(timer));
      };
      const gone = (end: End) => reject(this.#gone(method, end));
      this.#onEnd.add(gone);
      undo.push(() => this.#onEnd.delete(gone));
      if (timeoutSeconds !== null) {
        after(timeoutSeconds * 1000, () => {
          cancel.cancel();
          reject(overdue(method, timeoutSeconds));
          if (method !== ping.method) this.#checkPulse();
        });
      }
      const subscription = token?.onCancellationRequested(() => {
        cancel.cancel();
        after(this.#limits.cancel, () => reject(cancelled()));
      });
      undo.push(() => subscription?.dispose());
    });
    try {
      return await Promise.race([answer, otherwise]);
    } finally {
      for (const each of undo) each();
    }
  }

  /** Requests without a limit of their own end with a backend that has stopped listening. */
  #unlimitedRequests(change: number): void {
    this.#unlimited += change;
    if (this.#unlimited > 0) this.#pulse ??= setInterval(() => this.#checkPulse(), this.#limits.pulse);
    else if (this.#pulse) {
      clearInterval(this.#pulse);
      this.#pulse = null;
    }
  }

  #checkPulse(): void {
    const definition = { ...ping, timeoutSeconds: this.#limits.ping / 1000 };
    this.request(definition, {}).catch((error: unknown) => {
      if (error instanceof Overdue) this.#putDown(l10n.t('did not answer for {0} seconds', definition.timeoutSeconds));
    });
  }

  async #stop(): Promise<void> {
    this.#verdict ??= { expected: true, how: 'was stopped' };
    this.request(shutdown, {}).catch(() => {}); // however it answers, it has to go
    if (await this.#hasEnded(this.#limits.shutdown)) return;
    this.#options.log.warn('The backend does not shut down by itself and is terminated.');
    this.#signal('SIGTERM');
    if (await this.#hasEnded(this.#limits.terminate)) return;
    this.#signal('SIGKILL');
    await this.ended;
  }

  /** Ends a process that cannot be worked with. */
  #putDown(how: string): void {
    if (this.#verdict || this.#end) return;
    this.#verdict = { expected: false, how };
    this.#signal('SIGKILL');
  }

  #hasEnded(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.ended.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** To the whole group. On Windows to the process alone: its tree would include the runs. */
  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // It has gone.
    }
  }

  async #watchEnd(): Promise<End> {
    const child = this.#child;
    const drained = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const how = await new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(ending(code, signal)));
      child.once('error', (error) => {
        if (child.pid === undefined) resolve(l10n.t('could not be started ({0})', error.message));
      });
      // Without its channel it is of no use.
      child.once('disconnect', async () => {
        if (!(await this.#hasEnded(this.#limits.terminate))) this.#putDown(l10n.t('closed its channel'));
      });
    });
    await Promise.race([drained, wait(drainMilliseconds, undefined, { ref: false })]);
    this.#signal('SIGKILL'); // helpers that it left behind
    this.#end = { expected: false, how, ...this.#verdict, lastLines: this.#output.toArray() };
    for (const tell of [...this.#onEnd]) tell(this.#end);
    this.#connection.dispose();
    return this.#end;
  }

  #gone(method: string, end: End): UserError {
    if (end.expected) return new UserError('cancelled', `the backend was stopped during ${method}`);
    return new UserError(
      'io',
      l10n.t('the backend {0} during {1}', end.how, method),
      l10n.t('Its last words are in the log.'),
    );
  }
}

function ending(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal) return l10n.t('crashed ({0})', signal);
  return code === 0 ? l10n.t('ended by itself') : l10n.t('crashed (exit code {0})', String(code));
}

class Overdue extends UserError {}

function overdue(method: string, seconds: number): UserError {
  return new Overdue(
    'io',
    l10n.t('the backend did not answer {0} within {1} seconds', method, seconds),
    l10n.t('Try again; if it stays silent, run "DMD: Restart Backend".'),
  );
}

function cancelled(): UserError {
  return new UserError('cancelled', 'cancelled');
}
