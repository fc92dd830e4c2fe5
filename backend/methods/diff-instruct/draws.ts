/** Noise levels as Diff-Instruct draws them: where EDM trains a teacher, ln(sigma/alpha) normal. Pure functions of the point. */
import type { ConditionSource } from '../../models/conditions.ts';
import type { DiffusionModel, NoiseLevels } from '../../models/diffusion-model.ts';
import { stream } from '../../random/stream.ts';
import { type DrawPoint, type Draws, type LevelDraw, type LevelRange, streamDraws } from '../../training/draws.ts';
import type { DiffInstructConfig } from './as-dmd.ts';

/** Mean and standard deviation of ln(sigma/alpha). */
export interface LogNormal {
  readonly mean: number;
  readonly std: number;
}

/** From standard normal numbers to the indices of the levels whose ln(sigma/alpha) is nearest to mean + std n, none outside the range. */
export function logNormalLevels(
  { count, numbers, roles }: NoiseLevels,
  { mean, std }: LogNormal,
): (normal: ArrayLike<number>, range: LevelRange) => number[] {
  const logs = Float64Array.from({ length: count }, (_, i) =>
    Math.log(numbers[roles.sigma]!(i) / (roles.alpha === null ? 1 : numbers[roles.alpha]!(i))),
  );
  return (normal, { first, last }) =>
    Array.from(normal, (n) => Math.min(Math.max(nearest(logs, mean + std * n), first), last));
}

/** Index of the value nearest to `wanted` in an ascending list. */
function nearest(ascending: Float64Array, wanted: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle]! + ascending[middle + 1]!) / 2 < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The draws of a run, a function of its seed alone: DMD's but for the levels. */
export function diffInstructDraws(
  { seed, matching: { time, logMean: mean, logStd: std } }: Pick<DiffInstructConfig, 'seed' | 'matching'>,
  { shape, levels }: Pick<DiffusionModel, 'shape' | 'levels'>,
  conditions: Pick<ConditionSource, 'draw'>,
): Draws {
  const draws = streamDraws(seed, shape, conditions);
  if (time === 'uniform') return draws;
  const indices = logNormalLevels(levels, { mean, std });
  const levelled =
    (what: 'matching' | 'fake') =>
    (at: DrawPoint, count: number, range: LevelRange): LevelDraw => {
      const { step, micro, update } = at;
      const normal = stream(seed, 'distill', step, micro, what, update, 'log-normal').randn(count);
      return { ...draws[what](at, count, range), indices: indices(normal, range) };
    };
  return { ...draws, matching: levelled('matching'), fake: levelled('fake') };
}
