/**
 * Batches of pairs that several ranks make: in every round each makes one, and the leader, which has the folder, gets all of them. A batch
 * has the pairs that it would have if one process made all.
 */
import type { PairBatch } from '../../data/pairs.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import { assemble } from '../../ranks/assemble.ts';
import { type Ranks, RanksFailed } from '../../ranks/ranks.ts';

type Indices = readonly number[];
export type MakeBatch = (indices: Indices) => Promise<PairBatch>;

export interface Sharing {
  readonly ranks: Ranks;
  /** Of a pair. */
  readonly shape: readonly number[];
  readonly labelDim: number;
  readonly make: MakeBatch;
}

/** What the leader gives whoever writes the pairs. */
export interface SharedBatches {
  /** Those that will be asked for, in this order. */
  plan(batches: readonly Indices[]): void;
  readonly make: MakeBatch;
  /** Sends the others home; call it whatever happened. */
  end(): Promise<void>;
}

export function leadBatches(sharing: Sharing): SharedBatches {
  const { ranks, make } = sharing;
  let planned: readonly Indices[] = [];
  let ready = new Map<number, PairBatch>();
  let lost = false;
  const round = async (indices: Indices): Promise<void> => {
    const from = planned.findIndex(([first]) => first === indices[0]);
    const batches = planned.slice(from, from + ranks.size);
    await ranks.tell(JSON.stringify(batches));
    const made = await madeInRound(sharing, batches);
    ready = new Map(made.map((batch, i) => [batches[i]![0]!, batch]));
  };
  return {
    plan(batches) {
      planned = batches;
    },
    async make(indices) {
      if (ranks.size === 1) return make(indices);
      try {
        if (!ready.has(indices[0]!)) await round(indices);
      } catch (error) {
        lost = error instanceof RanksFailed;
        throw error;
      }
      return ready.get(indices[0]!)!;
    },
    async end() {
      if (!lost) await ranks.tell('[]');
    },
  };
}

/** Until the leader has all it wants. */
export async function followBatches(sharing: Sharing): Promise<void> {
  for (;;) {
    const batches = JSON.parse(await sharing.ranks.tell('')) as Indices[];
    if (batches.length === 0) return;
    await madeInRound(sharing, batches);
  }
}

/** @returns every rank's batch */
async function madeInRound(
  { ranks, shape, labelDim, make }: Sharing,
  batches: readonly Indices[],
): Promise<PairBatch[]> {
  const own = batches[ranks.rank];
  const made = own && (await make(own));
  const numbers = sizeOf(shape);
  const sizes = batches.map(({ length }) => length * (2 * numbers + labelDim));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const all = new Float32Array(sizes.reduce((a, b) => a + b, 0));
  if (made) {
    let at = starts[ranks.rank]!;
    for (const { data } of [made.z, made.y, made.labels]) {
      all.set(data, at);
      at += data.length;
    }
  }
  await assemble(ranks, all);
  return batches.map(({ length }, i) => {
    let at = starts[i]!;
    const next = (dims: readonly number[]) => {
      const data = all.subarray(at, at + length * sizeOf(dims));
      at += data.length;
      return { shape: [length, ...dims], data };
    };
    return { z: next(shape), y: next(shape), labels: next([labelDim]) };
  });
}
