/**
 * A running mean that tells the truth: weights fall by e every `reach` steps (not points, so that it does not depend on how
 * densely a curve was recorded), and are divided by their sum (so that it does not start at zero).
 */
import { Series } from '../../shared/charts/series.ts';

export class Smoothed {
  readonly #source: Series;
  readonly #reach: number;
  #series = new Series();
  #generation: number;
  #done = 0;
  #sum = 0;
  #weight = 0;
  #lastStep = 0;

  /** @param reach in steps, above 0 */
  constructor(source: Series, reach: number) {
    this.#source = source;
    this.#reach = reach;
    this.#generation = source.generation;
  }

  /** Up to date with its source; NaN where that is not finite. */
  series(): Series {
    const source = this.#source;
    if (this.#generation !== source.generation) this.#begin();
    const count = source.length - this.#done;
    if (count === 0) return this.#series;
    const steps = new Float64Array(count);
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      steps[i] = source.step(this.#done + i);
      values[i] = this.#next(steps[i]!, source.value(this.#done + i));
    }
    this.#series.append(steps, values);
    this.#done = source.length;
    return this.#series;
  }

  #next(step: number, value: number): number {
    if (!Number.isFinite(value)) return Number.NaN; // and the mean goes on as if it had not been
    const decay = this.#weight === 0 ? 0 : Math.exp((this.#lastStep - step) / this.#reach);
    this.#sum = this.#sum * decay + value;
    this.#weight = this.#weight * decay + 1;
    this.#lastStep = step;
    return this.#sum / this.#weight;
  }

  #begin(): void {
    this.#series = new Series();
    this.#generation = this.#source.generation;
    this.#done = this.#sum = this.#weight = this.#lastStep = 0;
  }
}
