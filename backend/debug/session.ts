/** One debugger's time with a run: what it set, and what it is told. */
import { Breakpoints } from './breakpoints.ts';
import { DebugEvents } from './events.ts';

/** For the request that holds a session to come. */
const holdSeconds = 10;

export class DebugSession {
  readonly id: string;
  readonly events = new DebugEvents();
  readonly breakpoints = new Breakpoints();
  readonly #over: Promise<string>;
  #end!: (reason: string) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param lost called when nobody holds it (any more) */
  constructor(id: string, lost: (reason: string) => void) {
    this.id = id;
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#timer = setTimeout(() => lost('nobody held it'), holdSeconds * 1000);
    this.#timer.unref();
  }

  /** @returns why it ended */
  async hold(signal: AbortSignal, lost: (reason: string) => void): Promise<string> {
    clearTimeout(this.#timer);
    const left = () => lost('its line was lost');
    if (signal.aborted) left();
    signal.addEventListener('abort', left, { once: true });
    try {
      return await this.#over;
    } finally {
      signal.removeEventListener('abort', left);
    }
  }

  end(reason: string): void {
    clearTimeout(this.#timer);
    this.#end(reason);
    this.events.close();
  }
}
