/** What takes long, told to the editor with a way to give it up. */
import { setTimeout as pause } from 'node:timers/promises';

/** What is over sooner is not worth a word. */
const milliseconds = 500;

type Tell = (event: string, body: object) => void;

export class Progress {
  readonly #tell: Tell;
  readonly #cancels = new Map<string, AbortController>();
  #count = 0;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Does the work; its signal is aborted when `signal` is, or the person cancels the progress. */
  async during<T>(title: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const progressId = `progress-${++this.#count}`;
    const own = new AbortController();
    const over = new AbortController();
    const both = AbortSignal.any([signal, own.signal]);
    this.#cancels.set(progressId, own);
    let told = false;
    void pause(milliseconds, undefined, { signal: over.signal }).then(
      () => {
        told = true;
        this.#tell('progressStart', { progressId, title, cancellable: true });
      },
      () => {},
    );
    try {
      return await work(both);
    } finally {
      over.abort();
      this.#cancels.delete(progressId);
      if (told) this.#tell('progressEnd', { progressId });
    }
  }

  /** What the run says it does, e.g. making pairs: a bar of its own until `done` is `total`. */
  report(label: string, done: number, total: number, unit: string): void {
    const progressId = `work-${label}`;
    const percentage = total > 0 ? Math.floor((100 * done) / total) : 0;
    const message = `${done} of ${total} ${unit}`;
    if (!this.#works.has(progressId)) {
      if (done >= total) return;
      this.#works.add(progressId);
      this.#tell('progressStart', { progressId, title: label, message, percentage });
    } else if (done < total) this.#tell('progressUpdate', { progressId, message, percentage });
    else this.#end(progressId);
  }

  /** No work is under way any more. */
  endWorks(): void {
    for (const progressId of [...this.#works]) this.#end(progressId);
  }

  cancel(progressId: string): void {
    this.#cancels.get(progressId)?.abort();
  }

  readonly #works = new Set<string>();

  #end(progressId: string): void {
    this.#works.delete(progressId);
    this.#tell('progressEnd', { progressId });
  }
}
