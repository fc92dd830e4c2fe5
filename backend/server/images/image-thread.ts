/** The thread that makes pictures, started when it is first needed, and the queue before it: one piece of work at a time. */
import { Worker } from 'node:worker_threads';
import { WorkThread } from '../work-thread.ts';
import type { FromThread, Report, Results, Work } from './work.ts';

type News = Extract<FromThread, { type: 'progress' | 'preview' }>;

export class ImageThread {
  readonly #thread = new WorkThread<Work, News>(
    'image thread',
    () => new Worker(new URL('./images.worker.ts', import.meta.url)),
  );

  /** Throws what the work throws; UserError('cancelled') once the signal is aborted, also while it still waits. */
  do<W extends Work>(work: W, report: Report, signal: AbortSignal): Promise<Results[W['type']]> {
    const { waiting } = this.#thread;
    if (waiting > 0) report.progress('waiting', 0, waiting);
    const tell = (news: News) => {
      if (news.type === 'progress') report.progress(news.label, news.done, news.total);
      else report.preview(news.step, news.steps, news.png);
    };
    return this.#thread.do<Results[W['type']]>(work, tell, signal);
  }

  /** Whether a thread is there, and with it perhaps models that are kept ready. */
  get started(): boolean {
    return this.#thread.started;
  }

  end(): Promise<void> {
    return this.#thread.end();
  }
}
