/**
 * What belongs to a step of a run and comes from the backend: loaded when wanted, kept while there is room. One is loaded at a
 * time, and then the one wanted last: a cursor that is moved fast is followed as fast as answers come, and no faster.
 */
import { isCancelled } from '../../shared/host.ts';
import { Topic } from '../../shared/topic.ts';

export interface StepKey {
  readonly folder: string;
  readonly what: string;
  readonly step: number;
}

export interface StepCacheOptions<V> {
  load(key: StepKey, signal: AbortSignal): Promise<V>;
  bytes(value: V): number;
  /** Frees what the collector does not. */
  release?(value: V): void;
  readonly limitBytes: number;
}

export class StepCache<V> {
  readonly #options: StepCacheOptions<V>;
  readonly #kept = new Map<string, { key: StepKey; value: V; bytes: number }>();
  #bytes = 0;
  #wanted: StepKey | null = null;
  #loading: { key: StepKey; abort: AbortController } | null = null;
  readonly #failed = new Map<string, string>();

  /** Something is there that was not, or cannot be had. */
  readonly onChange = new Topic();

  constructor(options: StepCacheOptions<V>) {
    this.#options = options;
  }

  get(key: StepKey): V | undefined {
    const id = idOf(key);
    const found = this.#kept.get(id);
    if (!found) return undefined;
    // The last used is the last to go.
    this.#kept.delete(id);
    this.#kept.set(id, found);
    return found.value;
  }

  /** Why it cannot be had. */
  failure(key: StepKey): string | undefined {
    return this.#failed.get(idOf(key));
  }

  /** Loads it unless it is there. */
  want(key: StepKey): void {
    this.#wanted = key;
    void this.#loadWanted();
  }

  /** What came unasked. */
  put(key: StepKey, value: V): void {
    const id = idOf(key);
    this.#remove(id);
    const bytes = this.#options.bytes(value);
    this.#kept.set(id, { key, value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#options.limitBytes || oldest === id) break;
      this.#remove(oldest);
    }
    this.onChange.fire();
  }

  /** Steps of a run that are there, ascending. */
  steps(folder: string, what: string): number[] {
    const keys = [...this.#kept.values()].map(({ key }) => key);
    const ours = keys.filter((key) => key.folder === folder && key.what === what);
    return ours.map(({ step }) => step).sort((a, b) => a - b);
  }

  forget(folder: string): void {
    if (this.#loading?.key.folder === folder) this.#loading.abort.abort();
    for (const [id, { key }] of this.#kept) if (key.folder === folder) this.#remove(id);
    this.#failed.clear();
  }

  async #loadWanted(): Promise<void> {
    while (!this.#loading && this.#wanted && !this.#kept.has(idOf(this.#wanted)) && !this.failure(this.#wanted)) {
      const key = this.#wanted;
      const abort = new AbortController();
      this.#loading = { key, abort };
      try {
        const value = await this.#options.load(key, abort.signal);
        this.#loading = null;
        if (abort.signal.aborted) this.#options.release?.(value);
        else this.put(key, value);
      } catch (error) {
        this.#loading = null;
        if (isCancelled(error)) return;
        this.#failed.set(idOf(key), error instanceof Error ? error.message : String(error));
        this.onChange.fire();
      }
    }
  }

  #remove(id: string): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
    this.#options.release?.(kept.value);
  }
}

function idOf({ folder, what, step }: StepKey): string {
  return JSON.stringify([folder, what, step]);
}
