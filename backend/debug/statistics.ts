/** What a person wants to know of many numbers in one line. */
import type { Statistics } from '../protocol/debug-requests.ts';

/** Takes numbers slice by slice; as exact as doubles are, whatever the order of magnitude. */
export class Summary {
  #count = 0;
  #mean = 0;
  /** Sum of squared distances from the mean. */
  #spread = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #nan = 0;
  #positive = 0;
  #negative = 0;
  #zero = 0;

  add(numbers: Float32Array): void {
    let [count, sum, squares, min, max, zero] = [0, 0, 0, this.#min, this.#max, 0];
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i]!;
      // Only a number that is finite minus itself is 0.
      if (value - value !== 0) {
        if (value === Number.POSITIVE_INFINITY) this.#positive += 1;
        else if (value === Number.NEGATIVE_INFINITY) this.#negative += 1;
        else this.#nan += 1;
        continue;
      }
      count += 1;
      sum += value;
      squares += value * value;
      if (value < min) min = value;
      if (value > max) max = value;
      if (value === 0) zero += 1;
    }
    [this.#min, this.#max] = [min, max];
    this.#zero += zero;
    this.#squares += squares;
    if (count > 0) this.#merge(numbers, count, sum / count);
  }

  /** Chan, Golub and LeVeque (1983): two groups' spreads make that of both. */
  #merge(numbers: Float32Array, count: number, mean: number): void {
    let spread = 0;
    for (let i = 0; i < numbers.length; i++) {
      const distance = numbers[i]! - mean;
      if (distance - distance === 0) spread += distance * distance;
    }
    const [before, both, apart] = [this.#count, this.#count + count, mean - this.#mean];
    this.#spread += spread + (apart * apart * before * count) / both;
    this.#mean += (apart * count) / both;
    this.#count = both;
  }

  get statistics(): Statistics {
    const some = this.#count > 0;
    return {
      min: some ? this.#min : Number.NaN,
      mean: some ? this.#mean : Number.NaN,
      max: some ? this.#max : Number.NaN,
      std: some ? Math.sqrt(this.#spread / this.#count) : Number.NaN,
      norm: Math.sqrt(this.#squares),
      nan: this.#nan,
      positiveInfinity: this.#positive,
      negativeInfinity: this.#negative,
      zero: this.#zero,
    };
  }
}

export function statisticsOf(numbers: Float32Array): Statistics {
  const summary = new Summary();
  summary.add(numbers);
  return summary.statistics;
}

/** Whether all of them are finite. A sum of finite float32 numbers is finite in doubles, so that one test does for many. */
export function allFinite(numbers: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i]! * 0;
  return sum === 0;
}
