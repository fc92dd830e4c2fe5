/** What waits to be sent to one watcher: in order, and bounded, since a watcher may read slowly or not at all. */
import type { Writable } from 'node:stream';

/** Many thousand steps' messages. */
const defaultLimit = 16 * 2 ** 20;

interface Item {
  readonly frame: Buffer;
  readonly passing: boolean;
}

export class Outbox {
  readonly #stream: Writable;
  readonly #limit: number;
  readonly #onFull: () => void;
  #queue: Item[] = [];
  /** Of those that must not be left out. */
  #bytes = 0;

  /** @param onFull the watcher is hopelessly behind: more than `limit` bytes wait for it */
  constructor(stream: Writable, onFull: () => void, limit = defaultLimit) {
    this.#stream = stream;
    this.#limit = limit;
    this.#onFull = onFull;
    stream.on('drain', () => this.#flush());
  }

  /** @param passing only the newest of these is kept waiting, e.g. of the live probe's frames */
  push(frame: Buffer, passing = false): void {
    if (passing) this.#queue = this.#queue.filter((item) => !item.passing);
    else this.#bytes += frame.length;
    this.#queue.push({ frame, passing });
    this.#flush();
    if (this.#bytes > this.#limit) this.#onFull();
  }

  #flush(): void {
    while (this.#queue.length > 0 && !this.#stream.writableNeedDrain) {
      const { frame, passing } = this.#queue.shift()!;
      if (!passing) this.#bytes -= frame.length;
      this.#stream.write(frame);
    }
  }

  /** Ends the stream after everything that waits. */
  end(): void {
    for (const { frame } of this.#queue.splice(0)) this.#stream.write(frame);
    this.#stream.end();
  }
}
