import type { Ranks } from './ranks.ts';

/**
 * Makes one array of everybody's parts, in place and bit for bit. Every rank comes with an array of the same length in which its own part
 * is filled, and all the rest is 0.
 */
export async function assemble(ranks: Ranks, values: Float32Array): Promise<void> {
  if (ranks.size === 1) return;
  // As whole numbers, since 0 + -0 is not -0, and a NaN is to stay the one it was.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const sums = Float64Array.from(bits);
  await ranks.sum(sums);
  bits.set(sums);
}
