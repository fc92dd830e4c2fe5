/** Choices drawn one after the other from a stream. */
import type { TorchGenerator } from '../../random/torch-generator.ts';

export class Draws {
  readonly #generator: TorchGenerator;

  constructor(generator: TorchGenerator) {
    this.#generator = generator;
  }

  /** In [0, 1). */
  uniform(): number {
    return this.#generator.rand(1)[0]!;
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  between([low, high]: readonly [number, number]): number {
    return low + (high - low) * this.uniform();
  }

  /** In [-limit, limit). */
  around(limit: number): number {
    return limit * (2 * this.uniform() - 1);
  }

  /** One of the list's items, each as likely. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(list.length * this.uniform())]!;
  }
}
