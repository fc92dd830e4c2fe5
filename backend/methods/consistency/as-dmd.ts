/** The config of a method that trains a generator alone, as DMD's parts read it: without scores and pairs. */
import { type DistillConfig, parseConfig } from '../../protocol/config/index.ts';

/** What such a method has of it, beside the keys of every distillation. */
interface Alone {
  readonly generator: Omit<DistillConfig['generator'], 'rest' | 'sigma'>;
  readonly record: Omit<DistillConfig['record'], 'probeEvery' | 'probe'>;
}

type Common = Omit<DistillConfig, keyof Alone | 'fake' | 'matching' | 'regression' | 'schedules' | 'method'>;

/** @param levels of the teacher; left out where it has its own. The generator is called at the highest */
export function withoutScores(
  common: Common,
  { generator, record }: Alone,
  levels?: DistillConfig['matching']['levels'],
): DistillConfig {
  const plain = parseConfig('{"kind": "distill"}', 'defaults') as DistillConfig;
  const sigma = levels?.sigmaMax ?? plain.generator.sigma;
  return {
    ...plain,
    ...common,
    generator: { ...generator, rest: 0, sigma },
    matching: { ...plain.matching, enabled: false, levels: levels ?? plain.matching.levels },
    regression: { ...plain.regression, enabled: false },
    // The probe of scores, which there are none of.
    record: { ...plain.record, ...record, probeEvery: 0 },
  };
}
