import { availableParallelism, cpus } from 'node:os';
import type { Ranks } from './ranks.ts';

/** Processor threads of a rank, where nobody said: its share of the machine's, or what it was bound to. */
export function threadsOf({ local }: Ranks): number {
  const [allowed, all] = [availableParallelism(), cpus().length];
  return Math.max(1, allowed < all ? allowed : Math.floor(all / local.size));
}
