/**
 * One PyTorch generator per sample, so that a sample depends on its own seed and never on its batch
 * (StackedRandomGenerator of EDM's generate.py).
 */
import type { Seed } from '../protocol/seed.ts';
import { TorchGenerator } from './torch-generator.ts';

export class StackedGenerator {
  readonly #generators: readonly TorchGenerator[];

  /** `seeds`: one per sample, in batch order. */
  constructor(seeds: readonly Seed[]) {
    this.#generators = seeds.map((seed) => new TorchGenerator(BigInt(seed)));
  }

  /** Normals for the whole batch: `n` per sample, sample after sample ([B, n] row-major). */
  randn(n: number): Float32Array {
    const out = new Float32Array(this.#generators.length * n);
    for (const [i, generator] of this.#generators.entries()) out.set(generator.randn(n), i * n);
    return out;
  }

  /** One integer in [low, high) per sample. */
  randint(low: number, high: number): Int32Array {
    return Int32Array.from(this.#generators, (generator) => generator.randint(low, high, 1)[0]!);
  }
}
