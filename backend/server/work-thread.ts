/**
 * A thread that works on what it is asked for, one piece after the other, started when it is first needed. The worker answers a
 * piece of work with messages of its own and, as the last one, `done` or `failed`; `cancel` ends the work in hand.
 */
import type { Worker } from 'node:worker_threads';
import { errorFrom } from '../files/describe-error.ts';
import { UserError } from '../protocol/errors.ts';
import type { ErrorMessage } from '../protocol/run-messages.ts';

/** Asked of the worker in place of work. */
export interface CancelWork {
  readonly type: 'cancel';
}

/** The worker's last word on a piece of work. */
export type WorkEnd<R> =
  | { readonly type: 'done'; readonly result: R }
  | { readonly type: 'failed'; readonly error: ErrorMessage };

export class WorkThread<W, News extends { readonly type: string }> {
  readonly #name: string;
  readonly #make: () => Worker;
  #worker: Worker | null = null;
  #waiting = 0;
  /** Settles when the thread is free for the next in the queue. */
  #free: Promise<unknown> = Promise.resolve();

  /** @param make `new Worker(...)`. @param name for an error */
  constructor(name: string, make: () => Worker) {
    this.#name = name;
    this.#make = make;
  }

  /** How many are under way or wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether a thread is there, and with it perhaps what is kept ready. */
  get started(): boolean {
    return this.#worker !== null;
  }

  /** Throws what the work throws; UserError('cancelled') once the signal is aborted, also while it still waits. */
  do<R>(work: W, tell: (news: News) => void, signal: AbortSignal): Promise<R> {
    this.#waiting++;
    const turn = this.#free.then(() => {
      if (signal.aborted) throw new UserError('cancelled', 'It was stopped before its turn came.');
      return this.#perform<R>(work, tell, signal);
    });
    this.#free = turn.catch(() => {}).finally(() => this.#waiting--);
    return turn;
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #perform<R>(work: W, tell: (news: News) => void, signal: AbortSignal): Promise<R> {
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      const cancel = () => worker.postMessage({ type: 'cancel' } satisfies CancelWork);
      const settle = (finish: () => void) => {
        worker.off('message', take);
        worker.off('error', crashed);
        worker.off('exit', ended);
        signal.removeEventListener('abort', cancel);
        finish();
      };
      const take = (message: News | WorkEnd<R>) => {
        if (isEnd(message)) {
          settle(() => (message.type === 'done' ? resolve(message.result) : reject(errorFrom(message.error))));
        } else tell(message);
      };
      const crashed = (error: Error) => settle(() => reject(error));
      const ended = (code: number) => settle(() => reject(new Error(`the ${this.#name} ended early (code ${code})`)));
      worker.on('message', take);
      worker.on('error', crashed);
      worker.on('exit', ended);
      signal.addEventListener('abort', cancel);
      worker.postMessage(work);
    });
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = this.#make();
    // The next piece of work gets a new thread.
    const gone = () => {
      if (this.#worker === worker) this.#worker = null;
    };
    worker.once('error', gone);
    worker.once('exit', gone);
    this.#worker = worker;
    return worker;
  }
}

function isEnd<R>(message: { readonly type: string } | WorkEnd<R>): message is WorkEnd<R> {
  return message.type === 'done' || message.type === 'failed';
}
