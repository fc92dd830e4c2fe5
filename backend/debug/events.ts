/** What happened in a session, kept until its debugger has asked for it. */
import type { DebugEvent } from '../protocol/debug-requests.ts';

/** A debugger that asks for nothing loses the oldest. */
const mostKept = 10_000;

type WithoutNumber<T> = T extends unknown ? Omit<T, 'seq'> : never;
export type NewEvent = WithoutNumber<DebugEvent>;

export class DebugEvents {
  #events: DebugEvent[] = [];
  #count = 0;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  push(event: NewEvent): void {
    if (this.#closed) return;
    this.#count += 1;
    this.#events.push({ ...event, seq: this.#count });
    if (this.#events.length > mostKept) this.#events.shift();
    this.#tell();
  }

  /** Those after number `after`, once there is one; what is asked for so is let go of up to there. [] at the end of the session. */
  async after(after: number, signal?: AbortSignal): Promise<DebugEvent[]> {
    this.#events = this.#events.filter(({ seq }) => seq > after);
    while (this.#events.length === 0 && !this.#closed && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return this.#events.filter(({ seq }) => seq > after);
  }

  close(): void {
    this.#closed = true;
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
