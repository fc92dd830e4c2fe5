/** Something others want to hear of. */
export class Topic<T = void> {
  readonly #listeners = new Set<(news: T) => void>();

  /** Returns what ends it. */
  on(listener: (news: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fire(news: T): void {
    for (const listener of [...this.#listeners]) listener(news);
  }
}
