/** What is costly to open, kept ready for the next request: the few that were used last. */
export interface Disposable {
  dispose(): Promise<void>;
}

export class Recent<T extends Disposable> {
  readonly #kept: number;
  /** The one used last comes last. */
  readonly #items = new Map<string, T>();

  /** @param kept how many at most */
  constructor(kept: number) {
    this.#kept = kept;
  }

  /** The one under a key, opened where it is not there. */
  async get(key: string, open: () => Promise<T>): Promise<T> {
    let item = this.#items.get(key);
    this.#items.delete(key);
    if (!item) {
      // Before the new one is opened: device memory holds only so many.
      await this.#keep(this.#kept - 1);
      item = await open();
    }
    this.#items.set(key, item);
    return item;
  }

  async release(): Promise<void> {
    await this.#keep(0);
  }

  async #keep(count: number): Promise<void> {
    for (const [key, item] of this.#items) {
      if (this.#items.size <= count) return;
      this.#items.delete(key);
      await item.dispose();
    }
  }
}
