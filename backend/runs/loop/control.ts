/**
 * The switches of a run, and the desk where it is asked. Whoever watches turns and asks at any time; the run looks between two
 * iterations and, where its trainer lets it, between two stages.
 */
import { type AskRun, type RunCommand, runCommands, runRequests } from '../../protocol/run-requests.ts';
import { Desk } from '../asking/desk.ts';

export class RunControl {
  readonly desk = new Desk();
  readonly #abort = new AbortController();
  #paused = false;
  #probing = false;
  #probe = false;
  /** Something was asked or turned since the last wait. */
  #news = false;
  #wake: () => void = () => {};
  /** Iterations a second; null: no limit. */
  #pace: number | null = null;
  /** Iterations until it pauses; null: it does not by itself. */
  #left: number | null = null;

  constructor() {
    const subscribed = ({ probe }: { probe: boolean }) => {
      this.probe(probe);
      return null;
    };
    this.desk.handle(runRequests.subscribe, subscribed, { atOnce: true, lasting: true });
  }

  /** Aborted when the run is to end: for work that can be broken off, such as making pairs. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stopping(): boolean {
    return this.#abort.signal.aborted;
  }

  get paused(): boolean {
    return this.#paused && !this.stopping;
  }

  /** A command is done even when its asker has gone before it is answered. */
  readonly ask: AskRun = (definition, params, signal) => {
    const command = Object.hasOwn(runCommands, definition.method);
    if (command) this.#switch(definition.method as RunCommand);
    const answer = this.desk.ask(definition, params, command ? undefined : signal);
    this.#heard();
    return answer;
  };

  /** Write a checkpoint and end. */
  stop(): void {
    this.#abort.abort();
    this.#heard();
  }

  pause(): void {
    this.#left = null;
    this.#paused = true;
    this.#heard();
  }

  resume(): void {
    this.#left = null;
    this.#paused = false;
    this.#heard();
  }

  /** Goes on, and pauses after so many iterations; with 0 it does not go on. */
  advance(iterations: number): void {
    this.resume();
    if (iterations === 0) this.pause();
    else this.#left = iterations;
  }

  /** @param perSecond iterations at most; null: no limit */
  setPace(perSecond: number | null): void {
    this.#pace = perSecond;
    this.#heard();
  }

  /** An iteration is done. */
  iterated(): void {
    if (this.#left !== null && --this.#left <= 0) this.pause();
  }

  /** Waits until the next iteration may begin, `begun` being when the last one did (performance.now()); or for news. @returns whether it may */
  async paced(begun: number): Promise<boolean> {
    const wait = this.#pace === null ? 0 : begun + 1000 / this.#pace - performance.now();
    if (wait <= 0) return true;
    await this.news(wait);
    return false;
  }

  /** Whether somebody watches the probe live. */
  get probing(): boolean {
    return this.#probing;
  }

  probe(on: boolean): void {
    this.#probe = on && !this.#probing;
    this.#probing = on;
    this.#heard();
  }

  /** Whether the live probe was switched on since the last call: its first reading is wanted at once. */
  takeProbeRequest(): boolean {
    const asked = this.#probe;
    this.#probe = false;
    return asked;
  }

  /** Something else changed that a wait is about. */
  wake(): void {
    this.#heard();
  }

  /** Ends with the next thing that is turned or asked, or after so many ms; at once when that came since the last wait. */
  async news(ms?: number): Promise<void> {
    if (!this.#news) {
      await new Promise<void>((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#news = false;
  }

  #switch(command: RunCommand): void {
    if (command === 'stop') this.stop();
    if (command === 'pause') this.pause();
    if (command === 'resume') this.resume();
  }

  #heard(): void {
    this.#news = true;
    this.#wake();
  }
}
