/** An iteration's numbers over all processes that compute it. */
import type { Ranks } from '../ranks/ranks.ts';

/** Sums what each rank has of its own, in place. @returns the first micro-batch of all ranks' that had a bad number */
export async function overRanks(
  ranks: Ranks,
  scalars: Record<string, number>,
  own: ReadonlySet<string>,
  bad: number | undefined,
): Promise<number | undefined> {
  const sums = Float64Array.from(own, (name) => scalars[name]!);
  await ranks.sum(sums);
  for (const [i, name] of [...own].entries()) scalars[name] = sums[i]!;
  const first = await ranks.agree(bad === undefined ? 0 : mostMicros - bad);
  return first === 0 ? undefined : mostMicros - first;
}

/** Above the number of any micro-batch. */
const mostMicros = 2 ** 30;
