/** Goes through the recorded steps, one after the other, and waits for each until it is on the screen. */
import { Topic } from '../shared/topic.ts';
import type { TimeCursor } from './cursor.ts';

const frameMilliseconds = 140;

export class Player {
  readonly #cursor: TimeCursor;
  readonly #settled: () => boolean;
  #playing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly onChange = new Topic();

  /** @param settled whether everything shows the cursor's step */
  constructor(cursor: TimeCursor, settled: () => boolean) {
    this.#cursor = cursor;
    this.#settled = settled;
  }

  get playing(): boolean {
    return this.#playing;
  }

  toggle(): void {
    if (this.#playing) this.stop();
    else this.#start();
  }

  stop(): void {
    if (!this.#playing) return;
    this.#playing = false;
    clearTimeout(this.#timer);
    this.onChange.fire();
  }

  /** From the beginning when it is at the end. */
  #start(): void {
    this.#playing = true;
    this.onChange.fire();
    if (!this.#cursor.move(1, true)) {
      this.#cursor.goTo(0);
    }
    this.#next();
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      if (!this.#playing) return;
      if (this.#settled() && !this.#cursor.move(1, true)) this.stop();
      else this.#next();
    }, frameMilliseconds);
  }
}
