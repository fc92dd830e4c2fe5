/**
 * A running mean that tells the truth: weights fall by e every `reach` steps (not points, so that it does not depend on how
 * densely a curve was recorded), and are divided by their sum (so that it does not start at zero). The backend computes it over
 * everything recorded; a page goes on with it as steps come in.
 */

/** All that a mean remembers. */
export interface MeanState {
  readonly sum: number;
  readonly weight: number;
  readonly lastStep: number;
}

export const noMean: MeanState = { sum: 0, weight: 0, lastStep: 0 };

export class RunningMean {
  readonly #reach: number;
  #sum: number;
  #weight: number;
  #lastStep: number;
  /** Most curves have their steps at equal distances. */
  #gap = 0;
  #decay = 1;

  /** @param reach in steps, above 0 */
  constructor(reach: number, { sum, weight, lastStep }: MeanState = noMean) {
    this.#reach = reach;
    this.#sum = sum;
    this.#weight = weight;
    this.#lastStep = lastStep;
  }

  get state(): MeanState {
    return { sum: this.#sum, weight: this.#weight, lastStep: this.#lastStep };
  }

  /** The mean up to this step, which is later than the one before; NaN where the value is not finite, and the mean goes on as if it had not been. */
  next(step: number, value: number): number {
    if (!Number.isFinite(value)) return Number.NaN;
    const gap = step - this.#lastStep;
    if (gap !== this.#gap) {
      this.#gap = gap;
      this.#decay = Math.exp(-gap / this.#reach);
    }
    const decay = this.#weight === 0 ? 0 : this.#decay;
    this.#sum = this.#sum * decay + value;
    this.#weight = this.#weight * decay + 1;
    this.#lastStep = step;
    return this.#sum / this.#weight;
  }
}
