/** A folder of pairs that a distillation names, as an input of the run: the pairs that it draws from. */
import type { PairSet } from '../../data/pairs.ts';
import type { Inputs } from '../../models/input-file.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';

/**
 * @param set undefined: the run makes its own, which their manifest guards
 * @throws UserError('data') when a shard is damaged
 */
export async function pairInputs({ regression }: DistillConfig, set: PairSet | null | undefined): Promise<Inputs> {
  const { path, count } = regression.pairs;
  if (!set || path === undefined) return {};
  return { 'regression.pairs.path': { path, sha256: await set.identity(Math.min(count, set.count)) } };
}
