/** Curves as three columns each: a point costs 24 bytes, so that a million of them can be kept and sent. */
import type { Curve } from '../../protocol/rpc/index.ts';

const firstCapacity = 256;

/** Points of one tag by ascending step; the last value written for a step counts. */
export class Column {
  #steps = new Float64Array(firstCapacity);
  #values = new Float64Array(firstCapacity);
  #times = new Float64Array(firstCapacity);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return 3 * this.#steps.byteLength;
  }

  set(step: number, value: number, time: number): void {
    const at = this.#length > 0 && this.#steps[this.#length - 1]! >= step ? this.#firstFrom(step) : this.#length;
    if (at === this.#length || this.#steps[at] !== step) this.#open(at);
    this.#steps[at] = step;
    this.#values[at] = value;
    this.#times[at] = time;
  }

  /** Forgets everything from a step on. */
  dropFrom(step: number): void {
    this.#length = this.#firstFrom(step);
  }

  /** A copy. */
  read(): Omit<Curve, 'tag'> {
    const copy = (array: Float64Array) => array.slice(0, this.#length);
    return { steps: copy(this.#steps), values: copy(this.#values), times: copy(this.#times) };
  }

  /** Makes room for one more point at an index. */
  #open(at: number): void {
    if (this.#length === this.#steps.length) {
      const grown = (array: Float64Array) => {
        const next = new Float64Array(2 * array.length);
        next.set(array);
        return next;
      };
      [this.#steps, this.#values, this.#times] = [grown(this.#steps), grown(this.#values), grown(this.#times)];
    }
    if (at < this.#length) {
      for (const array of [this.#steps, this.#values, this.#times]) array.copyWithin(at + 1, at, this.#length);
    }
    this.#length += 1;
  }

  /** The index of the first point at or after a step. */
  #firstFrom(step: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#steps[middle]! < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
