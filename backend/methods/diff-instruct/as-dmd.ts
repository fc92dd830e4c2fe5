/** A Diff-Instruct config as DMD's parts read it: the same keys, without regression. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { withoutRegression } from '../dmd/without-regression.ts';
import type { DiffInstructKeys } from './config.ts';

export type DiffInstructConfig = Omit<DistillConfig, keyof DiffInstructKeys | 'regression' | 'schedules'> &
  DiffInstructKeys;

/** `given` is checked by the section's own schema, so that its keys are there. */
export const diffInstructConfig = (given: DistillConfig) => given as unknown as DiffInstructConfig;

export function asDmd(given: DistillConfig): DistillConfig {
  const { matching, generator, ...config } = diffInstructConfig(given);
  const { time: _, logMean: _mean, logStd: _std, ...gradient } = matching;
  // A text-to-image generator is called at its last timestep, whatever stands here: that is what 80 says to its teacher.
  const { sigma = config.text.prompts === undefined ? 1 : 80 } = generator;
  return withoutRegression({ ...config, generator: { ...generator, sigma } }, gradient);
}
