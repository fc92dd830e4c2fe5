/** What waits to be sent to one watcher: in order, and bounded, since a watcher may read slowly or not at all. */
import type { Writable } from 'node:stream';

/** Many thousand steps' messages. */
const defaultLimit = 16 * 2 ** 20;

/**
 * news: must not be left out, and counts. passing: only the newest of these is kept waiting, e.g. of the live probe's frames.
 * answer: was asked for, and is bounded by how much may be asked at a time.
 */
export type FrameKind = 'news' | 'passing' | 'answer';

interface Item {
  readonly frame: Buffer;
  readonly kind: FrameKind;
}

export class Outbox {
  readonly #stream: Writable;
  readonly #limit: number;
  readonly #onFull: () => void;
  #queue: Item[] = [];
  /** Of news. */
  #bytes = 0;
  #ended = false;

  /** @param onFull the watcher is hopelessly behind: more than `limit` bytes of news wait for it */
  constructor(stream: Writable, onFull: () => void, limit = defaultLimit) {
    this.#stream = stream;
    this.#limit = limit;
    this.#onFull = onFull;
    stream.on('drain', () => this.#flush());
  }

  /** Nothing is sent after `end`: an answer may come later than the run's farewell. */
  push(frame: Buffer, kind: FrameKind): void {
    if (this.#ended) return;
    if (kind === 'passing') this.#queue = this.#queue.filter((item) => item.kind !== 'passing');
    if (kind === 'news') this.#bytes += frame.length;
    this.#queue.push({ frame, kind });
    this.#flush();
    if (this.#bytes > this.#limit) this.#onFull();
  }

  #flush(): void {
    while (this.#queue.length > 0 && !this.#stream.writableNeedDrain) {
      const { frame, kind } = this.#queue.shift()!;
      if (kind === 'news') this.#bytes -= frame.length;
      this.#stream.write(frame);
    }
  }

  /** Ends the stream after everything that waits. */
  end(): void {
    this.#ended = true;
    for (const { frame } of this.#queue.splice(0)) this.#stream.write(frame);
    this.#stream.end();
  }
}
