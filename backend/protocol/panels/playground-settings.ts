/** What a person sets in the playground, and what it is in a config: the changes of the preset `figure-3` that its runs begin with. */
import { matchingWeights } from '../config/matching-keys.ts';
import { mixtureSection } from '../config/mixture.ts';
import { z } from '../config/zod.ts';

/** The losses of Figure 3. */
export const playgroundLosses = ['real', 'difference', 'regression'] as const;
export type PlaygroundLoss = (typeof playgroundLosses)[number];

/** What can change while a run works. */
export const lossSettingsSchema = z.object({
  loss: z.enum(playgroundLosses),
  weight: z.enum(matchingWeights),
  lambda: z.number().min(0).max(1000),
  generatorRate: z.number().min(0).max(1),
  fakeRate: z.number().min(0).max(1),
  /** Highest noise level of training. */
  sigmaMax: z.number().min(0.03).max(80),
});
export type LossSettings = z.infer<typeof lossSettingsSchema>;

/** What another one of is another run. */
export const targetSchema = mixtureSection.pick({ modes: true, std: true, stds: true, start: true });
export type Target = z.infer<typeof targetSchema>;

export const playgroundSettingsSchema = z.object({
  /** A few words, part of the run's name. */
  name: z.string().max(60),
  target: targetSchema,
  losses: lossSettingsSchema,
  seed: z
    .int()
    .min(0)
    .max(2 ** 31),
});
export type PlaygroundSettings = z.infer<typeof playgroundSettingsSchema>;

/** Losses and rates as `key.of.it=value`, by key. */
export function lossAssignments(losses: LossSettings): Record<string, string> {
  const { loss, weight, lambda, generatorRate, fakeRate, sigmaMax } = losses;
  const values: Record<string, unknown> = {
    'matching.realOnly': loss === 'real',
    'matching.weight': weight,
    'matching.levels.sigmaMax': sigmaMax,
    'regression.enabled': loss === 'regression',
    'regression.lambda': lambda,
    'generator.lr': generatorRate,
    'fake.lr': fakeRate,
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, `${key}=${JSON.stringify(value)}`]));
}

/** Only what differs; [] for nothing. */
export function changedAssignments(before: LossSettings, after: LossSettings): string[] {
  const [old, now] = [lossAssignments(before), lossAssignments(after)];
  return Object.keys(now).flatMap((key) => (old[key] === now[key] ? [] : [now[key]!]));
}

/** All of a new run's changes of the preset. */
export function settingsAssignments({ name, target, losses, seed }: PlaygroundSettings): string[] {
  const { modes, std, stds, start } = target;
  return [
    `name=${JSON.stringify(`playground-${name}`)}`,
    `seed=${seed}`,
    `mixture=${JSON.stringify({ modes, std, stds, start })}`,
    ...Object.values(lossAssignments(losses)),
  ];
}

/** What a run's own config says of them; undefined where it is none that the playground could show. */
export function settingsOfConfig(config: unknown): Omit<PlaygroundSettings, 'name'> | undefined {
  const found = shownConfig.safeParse(config);
  if (!found.success) return undefined;
  const { mixture, seed, matching, regression, generator, fake } = found.data;
  const { modes, std, stds, start } = mixture;
  const settings = playgroundSettingsSchema.omit({ name: true }).safeParse({
    target: { modes, std, ...(stds ? { stds } : {}), start },
    seed,
    losses: {
      loss: matching.realOnly ? 'real' : regression.enabled ? 'regression' : 'difference',
      weight: matching.weight,
      lambda: regression.lambda,
      generatorRate: generator.lr,
      fakeRate: fake.lr,
      sigmaMax: matching.levels.sigmaMax,
    },
  });
  return settings.success ? settings.data : undefined;
}

const shownConfig = z.object({
  mixture: mixtureSection,
  seed: z.number(),
  matching: z.object({ realOnly: z.boolean(), weight: z.string(), levels: z.object({ sigmaMax: z.number() }) }),
  regression: z.object({ enabled: z.boolean(), lambda: z.number() }),
  generator: z.object({ lr: z.number() }),
  fake: z.object({ lr: z.number() }),
});
