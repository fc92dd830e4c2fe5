/** The thread that inspects checkpoints, and the queue before it. */
import { Worker } from 'node:worker_threads';
import { WorkThread } from '../work-thread.ts';
import type { News, Results, Work } from './work.ts';

export class InspectThread {
  readonly #thread = new WorkThread<Work, News>(
    'inspecting thread',
    () => new Worker(new URL('./inspect.worker.ts', import.meta.url)),
  );

  /** Throws what the work throws; UserError('cancelled') once the signal is aborted, also while it still waits. */
  do<W extends Work>(
    work: W,
    onProgress: (label: string, done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<Results[W['type']]> {
    const { waiting } = this.#thread;
    if (waiting > 0) onProgress('waiting', 0, waiting);
    const tell = ({ label, done, total }: News) => onProgress(label, done, total);
    return this.#thread.do<Results[W['type']]>(work, tell, signal);
  }

  /** Whether a thread is there, and with it perhaps networks that are kept ready. */
  get started(): boolean {
    return this.#thread.started;
  }

  end(): Promise<void> {
    return this.#thread.end();
  }
}
