/** A DMD2 config as DMD's parts read it: the same keys, without regression. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { withoutRegression } from '../dmd/without-regression.ts';
import type { Dmd2Keys } from './config.ts';

export type Dmd2Config = Omit<DistillConfig, keyof Dmd2Keys | 'regression' | 'method'> & Dmd2Keys;

/** `given` is checked by the section's own schema, so that its keys are there. */
export const dmd2Config = (given: DistillConfig) => given as unknown as Dmd2Config;

export function asDmd({ matching, ...config }: Dmd2Config): DistillConfig {
  const { discriminator: _, gan: _gan, data: _data, schedules: _schedules, steps: _steps, ...common } = config;
  const { divergence: _divergence, ...gradient } = matching;
  return withoutRegression(common, gradient);
}
