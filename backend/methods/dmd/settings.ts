/** From a config to the settings of each iteration: learning rates, averaging, lambda and the noise range. */
import { type DistillConfig, scheduleValue } from '../../protocol/config/index.ts';
import { updateSettings } from '../../training/schedule.ts';
import type { StepSettings } from './distill-options.ts';

/** Settings by iteration of a distillation. The lowest level never passes the highest, whatever the schedules say. */
export function distillSettings(config: DistillConfig): (step: number) => StepSettings {
  const { generator, fake, iterations, matching, regression, schedules } = config;
  return (step) => {
    const lastLevel = Math.round(scheduleValue(schedules.maxStep, step, matching.maxStep));
    const firstLevel = Math.round(scheduleValue(schedules.minStep, step, matching.minStep));
    return {
      generator: updateSettings(generator, generator.ema, step, iterations),
      fake: updateSettings(fake, 0, step, iterations),
      lambda: scheduleValue(schedules.lambda, step, regression.lambda),
      firstLevel: Math.min(firstLevel, lastLevel),
      lastLevel,
    };
  };
}
