/** Numbers that stand for things at a stop; all of them are void when it ends, and none is given out twice. */
import type { AdapterError } from './errors.ts';

export class Handles<T> {
  readonly #things = new Map<number, T>();
  readonly #missing: (reference: number) => AdapterError;
  #last = 0;

  constructor(missing: (reference: number) => AdapterError) {
    this.#missing = missing;
  }

  add(thing: T): number {
    this.#things.set(++this.#last, thing);
    return this.#last;
  }

  find(reference: number): T | undefined {
    return this.#things.get(reference);
  }

  get(reference: number): T {
    const found = this.find(reference);
    if (found === undefined) throw this.#missing(reference);
    return found;
  }

  clear(): void {
    this.#things.clear();
  }
}
