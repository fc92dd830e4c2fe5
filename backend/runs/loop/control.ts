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

  constructor() {
    const subscribed = ({ probe }: { probe: boolean }) => {
      this.probe(probe);
      return null;
    };
    this.desk.handle(runRequests.subscribe, subscribed, { atOnce: true });
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
    this.#paused = true;
    this.#heard();
  }

  resume(): void {
    this.#paused = false;
    this.#heard();
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

  /** Ends with the next thing that is turned or asked; at once when that came since the last wait. */
  async news(): Promise<void> {
    if (!this.#news) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
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
