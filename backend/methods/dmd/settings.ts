/** From a config to the settings of each iteration: learning rates, averaging, lambda and the noise range. */
import { type DistillConfig, matchingWeights, scheduleValue } from '../../protocol/config/index.ts';
import { adjustableUpdate, adjustedUpdate, emasOf, updateSettings } from '../../training/schedule.ts';
import type { Adjustable } from '../../training/trainer.ts';
import type { UpdateSettings } from '../../training/update-graph.ts';
import { type DmdShape, isGuided } from './graphs.ts';
import type { MatchingWeight } from './matching.ts';

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
export function generatorSettings(
  { rest, ...optimizer }: DistillConfig['generator'],
  emas: readonly number[],
  step: number,
  iterations: number,
): UpdateSettings {
  const settings = updateSettings(optimizer, emas, Math.max(1, step - rest), Math.max(1, iterations - rest));
  return step <= rest ? { ...settings, learningRate: 0 } : settings;
}

/** The settings of a step, and what else of the losses a person may change while a run goes on. */
export interface AdjustedSettings extends StepSettings {
  readonly weight: MatchingWeight;
  /** Scale of the guidance on the real score; up to 1 none. */
  readonly guidance: number;
}

type Losses = Pick<DmdShape, 'matching' | 'guidance'>;

/** What stands for a weight of the matching gradient is its place in `matchingWeights`. */
const weightKey = 'matching.weight';

/** The settings that a person may change while a run goes on, and every weight of a loss is one. */
export function adjustableOf(losses: Losses, settings: (step: number) => StepSettings): Adjustable {
  const { matching, guidance } = losses;
  return {
    natural: (step) => {
      const { generator, fake, lambda } = settings(step);
      return {
        ...adjustableUpdate('generator', generator),
        ...adjustableUpdate('fake', fake),
        lambda,
        ...(matching ? { [weightKey]: matchingWeights.indexOf(matching.weight) } : {}),
        ...(matching && isGuided(losses) ? { guidance } : {}),
      };
    },
    overrides: new Map(),
    words: { [weightKey]: matchingWeights },
  };
}

/** The settings with what holds in place of some of them. */
export function adjusted(
  { matching, guidance }: Losses,
  { overrides }: Adjustable,
  settings: StepSettings,
): AdjustedSettings {
  return {
    ...settings,
    generator: adjustedUpdate('generator', settings.generator, overrides),
    fake: adjustedUpdate('fake', settings.fake, overrides),
    lambda: overrides.get('lambda') ?? settings.lambda,
    weight: matchingWeights[overrides.get(weightKey) ?? -1] ?? matching?.weight ?? 'eq8',
    guidance: overrides.get('guidance') ?? guidance,
  };
}
