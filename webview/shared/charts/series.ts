/** One curve: values by ascending step, growing at its end, with a pyramid for fast extents. */
import { type Extent, Pyramid, roomFor } from './pyramid.ts';

export class Series {
  #steps = new Float64Array(64);
  #values = new Float64Array(64);
  #length = 0;
  #generation = 0;
  readonly #pyramid = new Pyramid();
  /** Indices of NaN and infinities, ascending. */
  #odd: number[] = [];

  get length(): number {
    return this.#length;
  }

  /** Another number after values were taken back: who followed the end begins anew. */
  get generation(): number {
    return this.#generation;
  }

  get odd(): readonly number[] {
    return this.#odd;
  }

  step(index: number): number {
    return this.#steps[index]!;
  }

  value(index: number): number {
    return this.#values[index]!;
  }

  get firstStep(): number {
    return this.#length > 0 ? this.#steps[0]! : Number.NaN;
  }

  get lastStep(): number {
    return this.#length > 0 ? this.#steps[this.#length - 1]! : Number.NaN;
  }

  /** Adds what is later than the last step; the rest is known already. Returns how many were new. */
  append(steps: ArrayLike<number>, values: ArrayLike<number>): number {
    let start = 0;
    if (this.#length > 0) while (start < steps.length && !(steps[start]! > this.lastStep)) start++;
    const count = steps.length - start;
    if (count <= 0) return 0;
    this.#grow(this.#length + count);
    for (let i = start; i < steps.length; i++) {
      const at = this.#length + i - start;
      const value = values[i]!;
      this.#steps[at] = steps[i]!;
      this.#values[at] = value;
      if (!Number.isFinite(value)) this.#odd.push(at);
    }
    this.#length += count;
    this.#pyramid.extend(this.#values, this.#length);
    return count;
  }

  /** Forgets everything from this step on. */
  dropFrom(step: number): void {
    const keep = this.indexFrom(step);
    if (keep === this.#length) return;
    this.#length = keep;
    this.#odd = this.#odd.filter((index) => index < keep);
    this.#pyramid.truncate(this.#values, keep);
    this.#generation++;
  }

  /** Index of the first value at this step or later; `length` when there is none. */
  indexFrom(step: number, low = 0, high = this.#length): number {
    let [a, b] = [low, high];
    while (a < b) {
      const middle = (a + b) >> 1;
      if (this.#steps[middle]! < step) a = middle + 1;
      else b = middle;
    }
    return a;
  }

  /** Index of the last value at this step or before; -1 when there is none. */
  indexUpTo(step: number): number {
    const index = this.indexFrom(step);
    return index < this.#length && this.#steps[index] === step ? index : index - 1;
  }

  /** Index of the value whose step is nearest; -1 without values. */
  nearest(step: number): number {
    const after = this.indexFrom(step);
    if (after === 0) return this.#length > 0 ? 0 : -1;
    if (after === this.#length) return this.#length - 1;
    return this.#steps[after]! - step < step - this.#steps[after - 1]! ? after : after - 1;
  }

  /** Least and greatest finite value of [from, to). */
  extent(from = 0, to = this.#length): Extent {
    return this.#pyramid.extent(this.#values, from, to);
  }

  #grow(length: number): void {
    if (length <= this.#steps.length) return;
    const steps = new Float64Array(roomFor(length));
    const values = new Float64Array(roomFor(length));
    steps.set(this.#steps.subarray(0, this.#length));
    values.set(this.#values.subarray(0, this.#length));
    this.#steps = steps;
    this.#values = values;
  }
}
