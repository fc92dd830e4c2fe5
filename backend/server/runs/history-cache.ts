/** The histories that are in memory: those in use, and the last used ones as far as they fit. */
import { RunHistory } from './history.ts';

const budgetBytes = 256e6;
const mostRuns = 32;

export class HistoryCache {
  readonly #limits: { readonly bytes: number; readonly runs: number };
  /** The least recently used first. */
  readonly #histories = new Map<string, RunHistory>();
  readonly #users = new Map<string, number>();

  constructor(limits = { bytes: budgetBytes, runs: mostRuns }) {
    this.#limits = limits;
  }

  /** How many are in memory. */
  get size(): number {
    return this.#histories.size;
  }

  /** Everything recorded by now. Throws UserError('io'). */
  async current(folder: string, signal?: AbortSignal): Promise<RunHistory> {
    const history = this.#touch(folder);
    await history.advance(signal);
    this.#evict(folder);
    return history;
  }

  /** Keeps a history in memory until the returned function is called. */
  hold(folder: string): { readonly history: RunHistory; release(): void } {
    this.#users.set(folder, (this.#users.get(folder) ?? 0) + 1);
    const release = () => {
      const left = (this.#users.get(folder) ?? 1) - 1;
      if (left > 0) this.#users.set(folder, left);
      else this.#users.delete(folder);
    };
    return { history: this.#touch(folder), release };
  }

  /** A run folder that is gone. */
  forget(folder: string): void {
    this.#histories.delete(folder);
  }

  #touch(folder: string): RunHistory {
    const history = this.#histories.get(folder) ?? new RunHistory(folder);
    this.#histories.delete(folder);
    this.#histories.set(folder, history);
    return history;
  }

  #evict(newest: string): void {
    let bytes = 0;
    for (const history of this.#histories.values()) bytes += history.bytes;
    for (const [folder, history] of this.#histories) {
      if (bytes <= this.#limits.bytes && this.#histories.size <= this.#limits.runs) return;
      if (folder === newest || this.#users.has(folder)) continue;
      this.#histories.delete(folder);
      bytes -= history.bytes;
    }
  }
}
