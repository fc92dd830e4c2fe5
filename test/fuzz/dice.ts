/** Draws of one input: the same for the same reader and seed, on every machine. Cheaper to begin than the streams of training. */

export class Dice {
  #state: number;

  constructor(reader: string, seed: number) {
    let state = 0x811c9dc5; // FNV-1a
    for (const char of `${reader} ${seed}`) state = Math.imul(state ^ char.codePointAt(0)!, 0x01000193);
    this.#state = state | 1;
  }

  /** Whole, 0 to `bound` - 1 (Marsaglia's xorshift32, scrambled). */
  below(bound: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return Math.floor(((Math.imul(state, 0x9e3779b1) >>> 0) / 2 ** 32) * bound);
  }

  chance(probability: number): boolean {
    return this.below(1 << 20) < probability * (1 << 20);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Uint8Array.from({ length }, () => this.below(256)));
  }

  /** Small numbers often, large ones sometimes: 0 to `largest`, by their logarithm. */
  size(largest: number): number {
    return Math.floor((largest + 1) ** (this.below(1 << 16) / (1 << 16))) - 1;
  }
}
