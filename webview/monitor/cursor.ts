/**
 * The one time cursor: the step that curves, samples and fields show. `live` follows the newest step, and looking at
 * another one by moving over a curve ends with leaving it; `free` goes where the pointer goes and stays there; `pinned`
 * moves only when it is told to.
 */
import { Topic } from '../shared/topic.ts';

export type CursorMode = 'live' | 'free' | 'pinned';

/** What can be gone through, of the run in focus. */
export interface CursorRange {
  readonly first: number;
  readonly last: number;
  /** Nothing will be added: there is nothing to follow. */
  readonly over: boolean;
  /** The next step at which something was measured, in either direction; undefined at the ends. */
  neighbour(step: number, direction: 1 | -1): number | undefined;
  /** The next step with samples or fields. */
  recorded(step: number, direction: 1 | -1): number | undefined;
}

export class TimeCursor {
  readonly #range: () => CursorRange;
  #mode: CursorMode;
  #step: number;
  #peek: number | null = null;
  readonly onMove = new Topic();

  constructor(range: () => CursorRange, mode: CursorMode, step: number) {
    this.#range = range;
    this.#mode = mode;
    this.#step = step;
  }

  get mode(): CursorMode {
    return this.#mode;
  }

  get step(): number {
    if (this.#peek !== null) return this.#peek;
    return this.#mode === 'live' ? this.#range().last : this.#step;
  }

  /** The pointer is over a step. */
  hover(step: number): void {
    if (this.#mode === 'pinned') return;
    if (this.#mode === 'live' && !this.#range().over) this.#peek = step;
    else {
      this.#mode = 'free';
      this.#step = step;
    }
    this.onMove.fire();
  }

  /** The pointer left the curves. */
  leave(): void {
    if (this.#peek === null) return;
    this.#peek = null;
    this.onMove.fire();
  }

  /** A click: stay here. */
  pin(step: number): void {
    this.#set('pinned', step);
  }

  unpin(): void {
    if (this.#mode === 'pinned') this.#set('free', this.step);
  }

  follow(): void {
    this.#set('live', this.#range().last);
  }

  /** Goes there and stays: keys, slider, play. */
  goTo(step: number): void {
    const { first, last } = this.#range();
    this.#set(this.#mode === 'pinned' ? 'pinned' : 'free', Math.min(last, Math.max(first, step)));
  }

  /** To the next measured step, or the next recorded one. False at the end. */
  move(direction: 1 | -1, recorded: boolean): boolean {
    const range = this.#range();
    const next = recorded ? range.recorded(this.step, direction) : range.neighbour(this.step, direction);
    if (next === undefined) return false;
    this.goTo(next);
    return true;
  }

  /** Its range grew or shrank. */
  update(): void {
    if (this.#mode !== 'live') return;
    this.onMove.fire();
  }

  #set(mode: CursorMode, step: number): void {
    this.#peek = null;
    this.#mode = mode;
    this.#step = step;
    this.onMove.fire();
  }
}
