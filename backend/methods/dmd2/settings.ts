/** From a config to the settings of each iteration: learning rates, averaging, the weights of the GAN loss, the noise ranges. */
import { scheduleValue } from '../../protocol/config/index.ts';
import type { LevelRange } from '../../training/draws.ts';
import { adjustableUpdate, adjustedUpdate, emasOf, updateSettings } from '../../training/schedule.ts';
import type { Adjustable } from '../../training/trainer.ts';
import type { UpdateSettings } from '../../training/update-graph.ts';
import { isGuided } from '../dmd/graphs.ts';
import { generatorSettings } from '../dmd/settings.ts';
import type { Dmd2Config } from './as-dmd.ts';
import type { Dmd2Shape } from './graphs.ts';

/** What may change from step to step. */
export interface Dmd2Settings {
  readonly generator: UpdateSettings;
  readonly fake: UpdateSettings;
  readonly discriminator: UpdateSettings;
  /** Of the generator's GAN loss, and of the discriminator's beside the fake score's. */
  readonly generatorWeight: number;
  readonly discriminatorWeight: number;
  /** Levels, by index, of distribution matching. */
  readonly matching: LevelRange;
  /** Levels at which images are told apart. */
  readonly gan: LevelRange;
}

/** Settings by iteration. The lowest level never passes the highest, whatever the schedules say. */
export function dmd2Settings(config: Dmd2Config): (step: number) => Dmd2Settings {
  const { generator, fake, discriminator, iterations, matching, gan, schedules } = config;
  const emas = emasOf(generator.ema);
  return (step) => {
    const at = scheduleValue;
    const last = Math.round(at(schedules.maxStep, step, matching.maxStep));
    const first = Math.round(at(schedules.minStep, step, matching.minStep));
    const rate = (of: typeof fake | typeof discriminator, points: typeof schedules.fakeLr) =>
      updateSettings({ ...of, lr: at(points, step, of.lr) }, [], step, iterations);
    const own = { ...generator, lr: at(schedules.generatorLr, step, generator.lr) };
    return {
      generator: generatorSettings(own, emas, step, iterations),
      fake: rate(fake, schedules.fakeLr),
      discriminator: rate(discriminator, schedules.discriminatorLr),
      generatorWeight: at(schedules.generatorWeight, step, gan.generatorWeight),
      discriminatorWeight: at(schedules.discriminatorWeight, step, gan.discriminatorWeight),
      matching: { first: Math.min(first, last), last },
      gan: { first: gan.minStep, last: gan.maxStep },
    };
  };
}

/** The settings of a step, and what else a person may change while a run goes on. */
export interface AdjustedSettings extends Dmd2Settings {
  /** Scale of the guidance on the real score; up to 1 none. */
  readonly guidance: number;
}

type Losses = Pick<Dmd2Shape, 'gan' | 'guidance'>;

const weightKeys = { generator: 'gan.generatorWeight', discriminator: 'gan.discriminatorWeight' } as const;

/** The settings that a person may change while a run goes on, and every weight of a loss is one. */
export function adjustableOf(losses: Losses, settings: (step: number) => Dmd2Settings): Adjustable {
  return {
    natural(step) {
      const { generator, fake, discriminator, generatorWeight, discriminatorWeight } = settings(step);
      return {
        ...adjustableUpdate('generator', generator),
        ...adjustableUpdate('fake', fake),
        ...(losses.gan
          ? {
              ...adjustableUpdate('discriminator', discriminator),
              [weightKeys.generator]: generatorWeight,
              [weightKeys.discriminator]: discriminatorWeight,
            }
          : {}),
        ...(isGuided(losses) ? { guidance: losses.guidance } : {}),
      };
    },
    overrides: new Map(),
  };
}

/** The settings with what holds in place of some of them. */
export function adjusted({ guidance }: Losses, { overrides }: Adjustable, settings: Dmd2Settings): AdjustedSettings {
  return {
    ...settings,
    generator: adjustedUpdate('generator', settings.generator, overrides),
    fake: adjustedUpdate('fake', settings.fake, overrides),
    discriminator: adjustedUpdate('discriminator', settings.discriminator, overrides),
    generatorWeight: overrides.get(weightKeys.generator) ?? settings.generatorWeight,
    discriminatorWeight: overrides.get(weightKeys.discriminator) ?? settings.discriminatorWeight,
    guidance: overrides.get('guidance') ?? guidance,
  };
}
