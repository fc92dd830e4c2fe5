/**
 * Several processes that train one model, data parallel: each computes its share of every batch, and what they computed is summed.
 * Rank 0 leads: it has the run folder and decides; the others do as it says. A process by itself is the one rank of `alone`.
 *
 * Every call but `takeWaited` is a meeting: all ranks make the same calls in the same order, and none returns before all have come.
 */
import { UserError } from '../protocol/errors.ts';

export interface Ranks {
  /** 0 leads. */
  readonly rank: number;
  readonly size: number;
  /** Among those of this machine. */
  readonly local: { readonly rank: number; readonly size: number };
  /** The largest of everybody's numbers, whole ones from 0 to 2^31 - 1. */
  agree(word: number): Promise<number>;
  /** Sums over all ranks, number by number, in place; every rank gets the same bits. */
  sum(values: Float32Array | Float64Array): Promise<void>;
  /** Rank 0's numbers for everybody, in place. */
  spread(values: Float32Array): Promise<void>;
  /** Rank 0's text for everybody; what others pass does not count. */
  tell(text: string): Promise<string>;
  /** Everybody's text, by rank. */
  gather(text: string): Promise<string[]>;
  /** Ends the others' work too: their next meeting throws RanksFailed with this. Never throws. */
  fail(error: unknown): Promise<void>;
  /** Seconds spent in meetings since the last call. */
  takeWaited(): number;
  /** From now on a meeting that others do not come to soon is given up: the process has been told to end. */
  hurry(): void;
  /** Leaves in order, when all others do. Never throws. */
  close(): Promise<void>;
}

/** Another rank failed, or is gone: this one's work ends. */
export class RanksFailed extends UserError {
  /** Whether that rank can no longer be met: it was lost, or does not come. */
  readonly lost: boolean;

  constructor(message: string, { hint = '', lost = false, kind = 'io' as UserError['kind'] } = {}) {
    super(kind, message, hint);
    this.lost = lost;
  }
}

/** The one rank of a process that nobody else works with. */
export const alone: Ranks = {
  ...{ rank: 0, size: 1, local: { rank: 0, size: 1 } },
  agree: async (word) => word,
  sum: async () => {},
  spread: async () => {},
  tell: async (text) => text,
  gather: async (text) => [text],
  fail: async () => {},
  takeWaited: () => 0,
  hurry: () => {},
  close: async () => {},
};

/** Which micro-batches of an update a rank computes: `count` from `first` on, of `of` in all. */
export interface MicroBatches {
  readonly first: number;
  readonly count: number;
  readonly of: number;
}

/** @param accumulation micro-batches of an update that each rank computes: N ranks are one process with N times as many */
export function microBatchesOf({ rank, size }: Ranks, accumulation: number): MicroBatches {
  return { first: rank * accumulation, count: accumulation, of: size * accumulation };
}
