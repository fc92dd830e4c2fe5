/** The config of a method that has DMD's keys but for the regression, as DMD's own parts read it. */
import { type DistillConfig, parseConfig } from '../../protocol/config/index.ts';

type Others = Omit<DistillConfig, 'matching' | 'regression' | 'schedules' | 'method'>;

/** @param gradient what it has of `matching` */
export function withoutRegression(keys: Others, gradient: Partial<DistillConfig['matching']>): DistillConfig {
  const plain = parseConfig('{"kind": "distill"}', 'defaults') as DistillConfig;
  return {
    ...plain,
    ...keys,
    matching: { ...plain.matching, ...gradient },
    regression: { ...plain.regression, enabled: false, lambda: 0 },
  };
}
