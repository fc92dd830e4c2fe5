/** What a person changed in an iteration, to be changed again when it is computed again. */

import { isDeviceTensor } from '../engine/engine.ts';
import type { Between } from '../training/iteration.ts';

interface Edit {
  readonly ordinal: number;
  readonly name: string;
  /** Numbers from here on. */
  readonly from: number;
  readonly data: Float32Array;
}

export class Edits {
  #edits: Edit[] = [];

  /** The last place that has any; -1: none. */
  get last(): number {
    return Math.max(-1, ...this.#edits.map(({ ordinal }) => ordinal));
  }

  /** Notes the numbers that differ, bit by bit. */
  add(ordinal: number, name: string, before: Float32Array, after: Float32Array): void {
    const same = (i: number) => Object.is(before[i], after[i]);
    let [from, to] = [0, after.length];
    while (from < to && same(from)) from += 1;
    while (to > from && same(to - 1)) to -= 1;
    if (to > from) this.#edits.push({ ordinal, name, from, data: after.slice(from, to) });
  }

  /** Changes again what was changed at this place. */
  async apply(between: Between): Promise<void> {
    for (const { ordinal, name, from, data } of this.#edits) {
      if (ordinal !== between.ordinal) continue;
      const value = between.tensor(name);
      const numbers = (isDeviceTensor(value) ? await value.read() : value.data).slice();
      numbers.set(data, from);
      between.replace(name, { shape: value.shape, data: numbers });
    }
  }

  /** Forgets those after a place. */
  keepUpTo(ordinal: number): void {
    this.#edits = this.#edits.filter((edit) => edit.ordinal <= ordinal);
  }

  clear(): void {
    this.#edits = [];
  }
}
