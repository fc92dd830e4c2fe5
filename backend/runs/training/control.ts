/** The switches of a run. Whoever watches it turns them at any time; the run looks at them between two iterations. */
import type { RunCommand } from '../../protocol/run-messages.ts';

export class RunControl {
  readonly #abort = new AbortController();
  #paused = false;
  #checkpoint = false;
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
  }
}
