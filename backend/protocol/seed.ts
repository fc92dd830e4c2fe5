/**
 * Seeds as `torch.manual_seed` takes them: whole numbers from -2^63 to 2^64 - 1, where a negative one is what its 64 bits are
 * without a sign. Beyond the whole numbers that JSON and JavaScript hold exactly they are decimal text.
 */

export type Seed = number | string;

const least = -(2n ** 63n);
const largest = 2n ** 64n - 1n;

/** What a person is told that a seed is. */
export const seedRange = `${least} to ${largest}`;

/** Null for what is no seed. */
export function parseSeed(text: string): Seed | null {
  const digits = text.trim();
  if (!/^-?\d{1,20}$/.test(digits)) return null;
  const value = BigInt(digits);
  return value >= least && value <= largest ? seedOf(value) : null;
}

/** In the one form that a seed has. */
export function seedOf(value: bigint): Seed {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/**
 * The `i`-th seed after one. Past the largest they go on from 0, and so do those of 32 bits past theirs: these 32 are all that
 * PyTorch's CPU generator makes of a seed, so that a longer one would only repeat the pictures under another name.
 */
export function seedAfter(seed: Seed, i: number): Seed {
  const first = BigInt(seed);
  const range = first >= 0n && first < 2n ** 32n ? 2n ** 32n : largest + 1n;
  const next = first + BigInt(i);
  return seedOf(next < range ? next : next - range);
}
