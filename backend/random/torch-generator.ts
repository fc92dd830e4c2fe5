/**
 * PyTorch's CPU generator: after `manual_seed(s)` the same calls in the same order give the same numbers.
 *
 * Integers and uniforms are bit-equal. Normals agree to 1e-6: PyTorch's vector builds round sin, cos and log
 * differently in the last bits. Source of the algorithms: ATen's DistributionTemplates.h (normal_fill),
 * core/DistributionsHelper.h and core/MT19937RNGEngine.h.
 */
import { Mt19937 } from './mt19937.ts';

/** From this many numbers on, `randn` works on blocks of uniforms instead of number by number. */
const BLOCK = 16;
/** From this range on, `randint` takes the remainder of 64 bits instead of 32 (2.13; older versions differ here). */
const WIDE_RANGE = 2 ** 28;
const TWO_PI = Math.fround(2 * Math.PI);

export class TorchGenerator {
  readonly #engine: Mt19937;
  /** The second value of the last Box-Muller pair; only calls for fewer than 16 normals make and use it. */
  #cachedNormal: number | undefined;

  /** `seed`: an integer of which, as in PyTorch, the low 32 bits count; or a bit source that is already seeded. */
  constructor(seed: bigint | number | Mt19937) {
    if (seed instanceof Mt19937) {
      this.#engine = seed;
      return;
    }
    if (typeof seed === 'number' && !Number.isSafeInteger(seed)) throw new Error(`seed ${seed} is not an integer`);
    this.#engine = new Mt19937(Number(BigInt.asUintN(32, BigInt(seed))));
  }

  /** `torch.rand(n)`: float32 uniforms in [0, 1), 24 bits each. */
  rand(n: number): Float32Array {
    return this.#fillUniform(new Float32Array(n));
  }

  /** `torch.randint(low, high, (n,))`: integers in [low, high), which lie within 32 signed bits. */
  randint(low: number, high: number, n: number): Int32Array {
    const range = high - low;
    if (!Number.isInteger(low) || !Number.isInteger(high) || range < 1 || range >= 2 ** 32) {
      throw new Error(`randint: bad range [${low}, ${high})`);
    }
    const out = new Int32Array(n);
    for (let i = 0; i < n; i++)
      out[i] = low + (range < WIDE_RANGE ? this.#engine.next() % range : this.#wideRemainder(range));
    return out;
  }

  /** `torch.randn(n)`: float32 normals. A tensor of several dimensions is the same numbers in row-major order. */
  randn(n: number): Float32Array {
    const out = new Float32Array(n);
    if (n < BLOCK) {
      for (let i = 0; i < n; i++) out[i] = this.#normal();
      return out;
    }
    this.#fillUniform(out);
    for (let i = 0; i + BLOCK <= n; i += BLOCK) boxMuller(out.subarray(i, i + BLOCK));
    // The ragged end is not a short block: the last 16 are drawn anew, over what was there.
    if (n % BLOCK !== 0) boxMuller(this.#fillUniform(out.subarray(n - BLOCK)));
    return out;
  }

  #fillUniform(out: Float32Array): Float32Array {
    for (let i = 0; i < out.length; i++) out[i] = (this.#engine.next() & 0xffffff) * 2 ** -24;
    return out;
  }

  /** A uniform double in [0, 1): the low 53 of 64 bits, the first draw being the high word. */
  #uniformDouble(): number {
    const high = this.#engine.next() & 0x1fffff;
    return (high * 2 ** 32 + this.#engine.next()) * 2 ** -53;
  }

  #wideRemainder(range: number): number {
    const high = BigInt(this.#engine.next());
    return Number(((high << 32n) | BigInt(this.#engine.next())) % BigInt(range));
  }

  #normal(): number {
    if (this.#cachedNormal !== undefined) {
      const value = this.#cachedNormal;
      this.#cachedNormal = undefined;
      return value;
    }
    const theta = 2 * Math.PI * this.#uniformDouble();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#uniformDouble()));
    this.#cachedNormal = radius * Math.sin(theta);
    return radius * Math.cos(theta);
  }
}

/** Turns 16 uniforms into 16 normals in place: numbers j and j + 8 make one pair. */
function boxMuller(block: Float32Array): void {
  for (let j = 0; j < BLOCK / 2; j++) {
    const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(1 - block[j]!)))));
    const theta = Math.fround(TWO_PI * block[j + BLOCK / 2]!);
    block[j] = radius * Math.cos(theta);
    block[j + BLOCK / 2] = radius * Math.sin(theta);
  }
}
