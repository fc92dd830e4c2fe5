/** A config of progressive distillation as DMD's parts read it: without distribution matching and without regression. */
import { type DistillConfig, parseConfig } from '../../protocol/config/index.ts';
import { withoutRegression } from '../dmd/without-regression.ts';
import type { ProgressiveKeys } from './config.ts';

export type ProgressiveConfig = Omit<
  DistillConfig,
  keyof ProgressiveKeys | 'matching' | 'regression' | 'schedules' | 'fake'
> &
  ProgressiveKeys;

/** `given` is checked by the section's own schema, so that its keys are there. */
export const progressiveConfig = (given: DistillConfig) => given as unknown as ProgressiveConfig;

/** The student is first called at the highest level. */
export function asDmd({
  generator,
  stages: _,
  loss: _loss,
  levels,
  data: _data,
  record,
  ...common
}: ProgressiveConfig) {
  const plain = parseConfig('{"kind": "distill"}', 'defaults') as DistillConfig;
  const keys = {
    ...common,
    fake: plain.fake,
    generator: { ...generator, rest: 0, sigma: levels.sigmaMax },
    record: { ...plain.record, ...record, probeEvery: 0 },
  };
  return withoutRegression(keys, { enabled: false, levels: { ...plain.matching.levels, ...levels } });
}
