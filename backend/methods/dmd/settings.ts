/** From a config to the settings of each iteration: learning rates, averaging, lambda and the noise range. */
import { type DistillConfig, scheduleValue } from '../../protocol/config/index.ts';
import { emasOf, updateSettings } from '../../training/schedule.ts';
import type { UpdateSettings } from '../../training/update-graph.ts';

/** What may change from step to step. */
export interface StepSettings {
  readonly generator: UpdateSettings;
  readonly fake: UpdateSettings;
  /** Weight of the regression loss. */
  readonly lambda: number;
  /** Distribution matching draws level indices in firstLevel..lastLevel, inclusive. */
  readonly firstLevel: number;
  readonly lastLevel: number;
}

/** Settings by iteration of a distillation. The lowest level never passes the highest, whatever the schedules say. */
export function distillSettings(config: DistillConfig): (step: number) => StepSettings {
  const { generator, fake, iterations, matching, regression, schedules } = config;
  const emas = emasOf(generator.ema);
  return (step) => {
    const lastLevel = Math.round(scheduleValue(schedules.maxStep, step, matching.maxStep));
    const firstLevel = Math.round(scheduleValue(schedules.minStep, step, matching.minStep));
    return {
      generator: generatorSettings(generator, emas, step, iterations),
      fake: updateSettings(fake, [], step, iterations),
      lambda: scheduleValue(schedules.lambda, step, regression.lambda),
      firstLevel: Math.min(firstLevel, lastLevel),
      lastLevel,
    };
  };
}

/** While it rests its rate is 0, so that nothing moves; warm-up and decay count from then on. */
function generatorSettings(
  { rest, ...optimizer }: DistillConfig['generator'],
  emas: readonly number[],
  step: number,
  iterations: number,
): UpdateSettings {
  const settings = updateSettings(optimizer, emas, Math.max(1, step - rest), Math.max(1, iterations - rest));
  return step <= rest ? { ...settings, learningRate: 0 } : settings;
}

/** Those that a person may change while a run goes on, by name as a config has them. */
export function adjustableOf({ generator, fake, lambda }: StepSettings): Record<string, number> {
  return { 'generator.lr': generator.learningRate, 'fake.lr': fake.learningRate, lambda };
}

/** The settings with what holds in place of some of them. */
export function adjusted(settings: StepSettings, overrides: ReadonlyMap<string, number>): StepSettings {
  if (overrides.size === 0) return settings;
  const { generator, fake, lambda } = settings;
  return {
    ...settings,
    generator: { ...generator, learningRate: overrides.get('generator.lr') ?? generator.learningRate },
    fake: { ...fake, learningRate: overrides.get('fake.lr') ?? fake.learningRate },
    lambda: overrides.get('lambda') ?? lambda,
  };
}
