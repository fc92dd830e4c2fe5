/**
 * Loss scaling, for gradients that are computed in float16 (Micikevicius et al., arXiv 1710.03740, Section 3.2): a loss is multiplied so
 * that small gradients are not rounded to zero, and the update divides by the same number. A gradient that is not finite was too large:
 * its update is left out and the scale halved; after so many good updates in a row it is doubled.
 */
import type { TensorData } from '../graph/tensor-data.ts';
import type { ArraySource, StoredArrays } from '../weights/array-source.ts';
import { sourceOf } from '../weights/array-source.ts';

/** The input of a graph that a loss is multiplied by. */
export const lossScaleInput = 'lossScale';

/** The array of a checkpoint. */
const arrayName = 'lossScale';

/** Beyond it, sums of squares of scaled gradients could overflow float32. */
const largest = 2 ** 24;

/** Where training begins, as in most trainers. */
const first = 2 ** 16;

/** Good updates in a row before the scale doubles, as in most trainers. */
const goodBeforeDoubling = 2000;

export class LossScale {
  #value = first;
  #good = 0;
  #used = first;
  readonly #patience: number;

  constructor(patience = goodBeforeDoubling) {
    this.#patience = patience;
  }

  /** A power of two, 1 to 2^24: multiplying by it and dividing rounds nothing. */
  get value(): number {
    return this.#value;
  }

  /** What the latest iteration's losses were multiplied by. */
  get used(): number {
    return this.#used;
  }

  /** Whether a gradient that is not finite may be the scale's fault. */
  get explains(): boolean {
    return this.#value > 1;
  }

  feed(): Record<string, TensorData> {
    this.#used = this.#value;
    return { [lossScaleInput]: { shape: [], data: Float32Array.of(this.#value) } };
  }

  /** The update was made. */
  succeed(): void {
    this.#good += 1;
    if (this.#good < this.#patience) return;
    this.#good = 0;
    this.#value = Math.min(largest, 2 * this.#value);
  }

  /** The update was left out, since its gradient was not finite. */
  overflow(): void {
    this.#good = 0;
    this.#value = Math.max(1, this.#value / 2);
  }

  /** As it is written into a checkpoint. */
  save(): [name: string, array: ArraySource] {
    return [arrayName, sourceOf({ shape: [2], data: Float32Array.of(this.#value, this.#good) })];
  }

  /** Goes on as saved; a state without one, of a run in float32, begins anew. */
  async restore(stored: StoredArrays | undefined): Promise<void> {
    const saved = stored?.shape(arrayName)?.join() === '2' ? await stored.read(arrayName, 0, 2) : [first, 0];
    [this.#value, this.#good] = [saved[0]!, saved[1]!];
    this.#used = this.#value;
  }
}

/** By the networks' names; none for those that train in float32. */
export type LossScales = ReadonlyMap<string, LossScale>;

export const noLossScales: LossScales = new Map();
