/**
 * Many pictures, chunk by chunk, which several ranks share: in every round each measures a chunk, and the leader takes all of them, in
 * order. What it takes is, bit for bit, what it would have measured by itself.
 */
import { UserError } from '../protocol/errors.ts';
import { assemble } from '../ranks/assemble.ts';
import type { Ranks } from '../ranks/ranks.ts';

/** Pictures of a chunk: as many as are drawn at once, for whoever watches hears of every chunk. */
const chunkSize = 50;

/** Places in the whole list of pictures. */
export type Chunk = readonly number[];

export interface Measured<T> {
  /** [chunk, dims] */
  readonly features: Float32Array;
  /** What else was found; JSON knows it. */
  readonly found: T;
}

export interface Rounds<T> {
  readonly ranks: Ranks;
  readonly count: number;
  /** Features of a picture, 0 for none. */
  readonly dims: number;
  /** The leader's. */
  readonly signal?: AbortSignal | undefined;
  readonly measure: (chunk: Chunk) => Promise<Measured<T>>;
  /** On the leader, once per chunk. */
  readonly take: (chunk: Chunk, measured: Measured<T>) => void;
}

const words = { goOn: 1, stop: 2 };

/** Every rank calls it. Throws UserError('cancelled') on all of them, and what the parts throw. */
export async function inRounds<T>({ ranks, count, dims, signal, measure, take }: Rounds<T>): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(count / chunkSize) }, (_, i) => {
    const start = i * chunkSize;
    return Array.from({ length: Math.min(chunkSize, count - start) }, (_, j) => start + j);
  });
  for (let first = 0; first < chunks.length; first += ranks.size) {
    const word = await ranks.agree(ranks.rank > 0 ? 0 : signal?.aborted ? words.stop : words.goOn);
    if (word === words.stop) throw new UserError('cancelled', 'The evaluation was stopped.');
    const round = chunks.slice(first, first + ranks.size);
    const own = round[ranks.rank];
    const measured = await shared(ranks, round, dims, own && (await measure(own)));
    if (ranks.rank > 0) continue;
    for (const [i, one] of measured.entries()) take(round[i]!, one);
  }
}

async function shared<T>(
  ranks: Ranks,
  round: readonly Chunk[],
  dims: number,
  own: Measured<T> | undefined,
): Promise<Measured<T>[]> {
  if (ranks.size === 1) return own ? [own] : [];
  const starts = round.map((_, i) => i * chunkSize * dims);
  const all = new Float32Array(round.length * chunkSize * dims);
  if (own) all.set(own.features, starts[ranks.rank]);
  await assemble(ranks, all);
  const found = await ranks.gather(own ? JSON.stringify(own.found) : 'null');
  return round.map(({ length }, i) => ({
    features: all.subarray(starts[i]!, starts[i]! + length * dims),
    found: JSON.parse(found[i]!) as T,
  }));
}
