/**
 * The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998): 32 random bits per call, period 2^19937 - 1.
 * The bit source below PyTorch's CPU generator and below every stream of a run.
 */
const N = 624;
const M = 397;

export class Mt19937 {
  readonly #state = new Uint32Array(N);
  #index = N;

  /** The reference `init_genrand`: one 32-bit seed. */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed >>> 0;
    for (let i = 1; i < N; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(1812433253, previous) + i;
    }
  }

  /** The reference `init_by_array`: a key of any number of 32-bit words, all of which count. */
  static fromKey(key: Uint32Array): Mt19937 {
    const engine = new Mt19937(19650218);
    const state = engine.#state;
    let i = 1;
    const wrap = () => {
      i++;
      if (i >= N) {
        state[0] = state[N - 1]!;
        i = 1;
      }
    };
    const mixed = (factor: number) => state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), factor);
    for (let k = 0, j = 0; k < Math.max(N, key.length); k++, j = (j + 1) % key.length) {
      state[i] = mixed(1664525) + key[j]! + j;
      wrap();
    }
    for (let k = 0; k < N - 1; k++) {
      state[i] = mixed(1566083941) - i;
      wrap();
    }
    state[0] = 0x80000000;
    return engine;
  }

  /** The next 32 bits, as an unsigned integer. */
  next(): number {
    if (this.#index === N) this.#refill();
    let y = this.#state[this.#index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #refill(): void {
    const state = this.#state;
    const twist = (i: number, next: number, far: number) => {
      const y = (state[i]! & 0x80000000) | (state[next]! & 0x7fffffff);
      state[i] = state[far]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    };
    for (let i = 0; i < N - M; i++) twist(i, i + 1, i + M);
    for (let i = N - M; i < N - 1; i++) twist(i, i + 1, i + M - N);
    twist(N - 1, 0, M - 1);
    this.#index = 0;
  }
}
