/** The switches of a run. Whoever watches it turns them at any time; the run looks at them between two iterations. */
import type { RunCommand } from '../../protocol/run-messages.ts';

export class RunControl {
  readonly #abort = new AbortController();
  #paused = false;
  #checkpoint = false;
  #probing = false;
  #probe = false;
  #wake: () => void = () => {};

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

  /** Write a checkpoint and end. */
  stop(): void {
    this.#abort.abort();
    this.#wake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  checkpointNow(): void {
    this.#checkpoint = true;
    this.#wake();
  }

  /** Whether a checkpoint was asked for since the last call. */
  takeCheckpointRequest(): boolean {
    const asked = this.#checkpoint;
    this.#checkpoint = false;
    return asked;
  }

  /** Whether somebody watches the probe live. */
  get probing(): boolean {
    return this.#probing;
  }

  probe(on: boolean): void {
    this.#probe = on && !this.#probing;
    this.#probing = on;
    this.#wake();
  }

  /** Whether the live probe was switched on since the last call: its first reading is wanted at once. */
  takeProbeRequest(): boolean {
    const asked = this.#probe;
    this.#probe = false;
    return asked;
  }

  /** Ends with the next command. */
  nextCommand(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  handle(command: RunCommand): void {
    if (command.type === 'stop') this.stop();
    if (command.type === 'pause') this.pause();
    if (command.type === 'resume') this.resume();
    if (command.type === 'checkpoint') this.checkpointNow();
    if (command.type === 'probe') this.probe(command.on);
  }
}
