/** The thread that makes pictures, started when it is first needed, and the queue before it: one piece of work at a time. */
import { Worker } from 'node:worker_threads';
import { errorFrom } from '../../files/describe-error.ts';
import { UserError } from '../../protocol/errors.ts';
import type { FromThread, Report, Results, ToThread, Work } from './work.ts';

export class ImageThread {
  #worker: Worker | null = null;
  #waiting = 0;
  /** Settles when the thread is free for the next in the queue. */
  #free: Promise<unknown> = Promise.resolve();

  /** Throws what the work throws; UserError('cancelled') once the signal is aborted, also while it still waits. */
  do<W extends Work>(work: W, report: Report, signal: AbortSignal): Promise<Results[W['type']]> {
    if (this.#waiting > 0) report.progress('waiting', 0, this.#waiting);
    this.#waiting++;
    const turn = this.#free.then(() => {
      if (signal.aborted) throw new UserError('cancelled', 'It was stopped before its turn came.');
      return this.#perform(work, report, signal);
    });
    this.#free = turn.catch(() => {}).finally(() => this.#waiting--);
    return turn;
  }

  /** Whether a thread is there, and with it perhaps models that are kept ready. */
  get started(): boolean {
    return this.#worker !== null;
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #perform<W extends Work>(work: W, report: Report, signal: AbortSignal): Promise<Results[W['type']]> {
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      const cancel = () => worker.postMessage({ type: 'cancel' } satisfies ToThread);
      const settle = (finish: () => void) => {
        worker.off('message', take);
        worker.off('error', crashed);
        worker.off('exit', ended);
        signal.removeEventListener('abort', cancel);
        finish();
      };
      const take = (message: FromThread) => {
        if (message.type === 'progress') report.progress(message.label, message.done, message.total);
        else if (message.type === 'preview') report.preview(message.step, message.steps, message.png);
        else if (message.type === 'failed') settle(() => reject(errorFrom(message.error)));
        else settle(() => resolve(message.result as Results[W['type']]));
      };
      const crashed = (error: Error) => settle(() => reject(error));
      const ended = (code: number) => settle(() => reject(new Error(`the image thread ended early (code ${code})`)));
      worker.on('message', take);
      worker.on('error', crashed);
      worker.on('exit', ended);
      signal.addEventListener('abort', cancel);
      worker.postMessage(work);
    });
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./images.worker.ts', import.meta.url));
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
