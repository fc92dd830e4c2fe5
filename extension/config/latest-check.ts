/**
 * Checks texts while they are typed: a little after the last change, one at a time for each text, and only the answer to
 * the newest question is shown. No `vscode` in here.
 */

export interface CheckOptions<T> {
  /** Cancelled by the signal when its answer is no longer wanted. */
  check(key: string, signal: AbortSignal): Promise<T>;
  show(key: string, result: T): void;
  /** A check that failed, and was not cancelled. */
  failed(error: unknown): void;
  /** From the last change to the check. */
  readonly delayMilliseconds: number;
}

export class LatestCheck<T> {
  readonly #options: CheckOptions<T>;
  readonly #newest = new Map<string, AbortController>();

  constructor(options: CheckOptions<T>) {
    this.#options = options;
  }

  /** The text has changed: what is asked or answered about the one before does not count any more. */
  changed(key: string): void {
    const { signal } = this.#supersede(key);
    const timer = setTimeout(() => this.#ask(key, signal), this.#options.delayMilliseconds);
    signal.addEventListener('abort', () => clearTimeout(timer));
  }

  /** Checks at once; resolves when the answer is shown or no longer wanted. */
  now(key: string): Promise<void> {
    return this.#ask(key, this.#supersede(key).signal);
  }

  /** The text is gone. */
  closed(key: string): void {
    this.#newest.get(key)?.abort();
    this.#newest.delete(key);
  }

  dispose(): void {
    for (const key of [...this.#newest.keys()]) this.closed(key);
  }

  #supersede(key: string): AbortController {
    this.closed(key);
    const controller = new AbortController();
    this.#newest.set(key, controller);
    return controller;
  }

  async #ask(key: string, signal: AbortSignal): Promise<void> {
    try {
      const result = await this.#options.check(key, signal);
      if (!signal.aborted) this.#options.show(key, result);
    } catch (error) {
      if (!signal.aborted) this.#options.failed(error);
    }
  }
}
