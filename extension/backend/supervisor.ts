/**
 * Keeps a backend going: starts it at the first request, starts it again when it crashed, later each time, and gives up when it
 * crashes too often. No `vscode` in here.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../../backend/protocol/errors.ts';
import type { NotificationDefinition, RequestDefinition } from '../../backend/protocol/rpc/index.ts';
import { l10n } from '../l10n.ts';
import type { BackendProcess, CancelToken, End, ProcessLog } from './process.ts';

type OnNotification = (method: string, params: unknown) => void;

export interface SupervisorOptions {
  /** Forks one; throws a UserError when none is to be had, which is not a crash. */
  launch(onNotification: OnNotification): Promise<BackendProcess>;
  readonly log: ProcessLog;
  /** A new process is up: whoever watches or follows must ask again. */
  onStart(): void;
  /** It ended without being told to; `again`: it is started again by itself. */
  onCrash(end: End, again: boolean): void;
  readonly policy?: Partial<RestartPolicy>;
}

interface RestartPolicy {
  /** Milliseconds before each further start within the window; as many starts as there are delays. */
  readonly delays: readonly number[];
  readonly windowMilliseconds: number;
}

const usual: RestartPolicy = { delays: [500, 1000, 2000, 4000, 8000], windowMilliseconds: 180_000 };

interface Subscription {
  readonly definition: NotificationDefinition<unknown>;
  readonly handlers: Set<(params: unknown) => void>;
}

/** One process, from the decision to start it. */
class Life {
  /** Null until it is forked. */
  process: BackendProcess | null = null;
  /** Cuts the wait before the start short. */
  readonly abandoned = new AbortController();
  /** Resolves when it takes requests. */
  readonly up: Promise<BackendProcess>;

  constructor(start: (life: Life) => Promise<BackendProcess>) {
    this.up = start(this);
  }
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Up, starting, or waiting to be started; null: the next request starts one. */
  #life: Life | null = null;
  /** When it was started again after a crash. */
  #restarts: number[] = [];
  #gaveUp = false;
  #disposed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#policy = { ...usual, ...options.policy };
  }

  async request<P, R>(definition: RequestDefinition<P, R>, params: P, token?: CancelToken): Promise<R> {
    const process = await untilCancelled(this.#ready(), token);
    return process.request(definition, params, token);
  }

  /** Handlers outlive the process. */
  onNotification<P>(definition: NotificationDefinition<P>, handler: (params: P) => void): { dispose(): void } {
    const { method } = definition;
    const { handlers } = this.#subscriptions.get(method) ?? { handlers: new Set() };
    // The definition's schema has checked what the handler gets.
    const checked = handler as (params: unknown) => void;
    this.#subscriptions.set(method, { definition, handlers });
    handlers.add(checked);
    return { dispose: () => handlers.delete(checked) };
  }

  /** Ends the process if there is one and starts another, whatever happened before. */
  async restart(): Promise<void> {
    await this.#stop();
    this.#gaveUp = false;
    this.#restarts = [];
    await this.#ready();
  }

  /** Ends the process for good. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#stop();
  }

  async #stop(): Promise<void> {
    const life = this.#life;
    this.#life = null;
    life?.abandoned.abort();
    await life?.process?.stop();
  }

  async #ready(): Promise<BackendProcess> {
    if (this.#disposed) throw shutDown();
    if (this.#gaveUp) throw tooOften(this.#policy);
    this.#life ??= this.#begin(0);
    return this.#life.up;
  }

  #begin(delay: number): Life {
    const life = new Life((life) => this.#start(life, delay));
    life.up.then(
      () => this.#options.onStart(),
      // One that could not even be forked is forgotten, so that the next request tries again.
      () => life.process || this.#forget(life),
    );
    return life;
  }

  async #start(life: Life, delay: number): Promise<BackendProcess> {
    if (delay > 0) await wait(delay, undefined, { signal: life.abandoned.signal }).catch(() => {});
    if (life.abandoned.signal.aborted) throw shutDown();
    const process = await this.#options.launch((method, params) => this.#dispatch(method, params));
    life.process = process;
    process.ended.then((end) => this.#ended(life, end));
    if (life.abandoned.signal.aborted) await process.stop();
    await process.ready;
    return process;
  }

  #ended(life: Life, end: End): void {
    const wanted = this.#life === life;
    this.#forget(life);
    if (end.expected || !wanted) return;
    const now = performance.now();
    this.#restarts = this.#restarts.filter((time) => now - time < this.#policy.windowMilliseconds);
    const delay = this.#policy.delays[this.#restarts.length];
    this.#gaveUp = delay === undefined;
    if (delay !== undefined) {
      this.#restarts.push(now);
      this.#life = this.#begin(delay);
    }
    this.#options.onCrash(end, delay !== undefined);
  }

  #forget(life: Life): void {
    if (this.#life === life) this.#life = null;
  }

  #dispatch(method: string, params: unknown): void {
    const subscription = this.#subscriptions.get(method);
    if (!subscription) return;
    const checked = subscription.definition.params.safeParse(params);
    if (!checked.success) {
      this.#options.log.warn(`The backend's ${method} is not as agreed and is ignored: ${checked.error.message}`);
      return;
    }
    for (const handler of [...subscription.handlers]) {
      try {
        handler(checked.data);
      } catch (error) {
        this.#options.log.error(`${method}: ${error instanceof Error ? error.stack : error}`);
      }
    }
  }
}

/** What a promise gives, unless the token is cancelled before. */
async function untilCancelled<T>(promise: Promise<T>, token: CancelToken | undefined): Promise<T> {
  if (!token) return promise;
  if (token.isCancellationRequested) throw cancelled();
  let subscription: { dispose(): void } | undefined;
  const cancellation = new Promise<never>((_, reject) => {
    subscription = token.onCancellationRequested(() => reject(cancelled()));
  });
  return Promise.race([promise, cancellation]).finally(() => subscription?.dispose());
}

function cancelled(): UserError {
  return new UserError('cancelled', 'cancelled');
}

function shutDown(): UserError {
  return new UserError('cancelled', 'the backend has been shut down');
}

function tooOften({ delays, windowMilliseconds }: RestartPolicy): UserError {
  return new UserError(
    'io',
    l10n.t(
      'the backend crashed more than {0} times within {1} minutes',
      delays.length,
      Math.round(windowMilliseconds / 60_000),
    ),
    l10n.t('Look into the log for the reason, then run "DMD: Restart Backend".'),
  );
}
