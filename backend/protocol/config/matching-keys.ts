/**
 * Keys that every method with a matching gradient has: the generator, the noise levels, the weight of the gradient, and what is
 * recorded.
 */

import { type Complain, choice, emaKey, every, optimizerKeys, whole } from './common.ts';
import type { SchedulePoints } from './schedule.ts';
import { z } from './zod.ts';

export const matchingWeights = ['eq8', 'eq8-alpha', 'sigma/alpha', 'sigma^3/alpha', 'sigma^2/alpha'] as const;

export const initialKey = z
  .string()
  .min(1)
  .optional()
  .describe(
    "A generator to begin with, as when DMD2's one-step student is warmed up by regression: a file that dmd distill wrote, or the " +
      'folder of a text-to-image student. Default: the teacher.',
  );

/** @param learningRate default of the generator's */
export const generatorKeys = (learningRate: number) => ({
  ...optimizerKeys(learningRate),
  ema: emaKey(0),
  initial: initialKey,
  rest: whole(0, 'iterations')
    .default(0)
    .describe(
      'Iterations at the start in which the generator stays as it is, while the fake score learns what it makes. Default 0.',
    ),
  sigma: z
    .number()
    .positive()
    .meta({ unit: 'data units' })
    .default(80)
    .describe(
      "Noise level the generator is called at: G(z) = D(sigma z; sigma). Default 80, EDM's sigma_max; text: the last timestep.",
    ),
});

export const levelsKey = z
  .strictObject({
    count: whole(2, 'levels').default(1000).describe('Number of levels. Default 1000.'),
    sigmaMin: z
      .number()
      .positive()
      .meta({ unit: 'data units' })
      .default(0.002)
      .describe('Lowest noise level sigma. Default 0.002.'),
    sigmaMax: z
      .number()
      .positive()
      .meta({ unit: 'data units' })
      .default(80)
      .describe('Highest noise level sigma. Default 80.'),
    rho: z.number().positive().default(7).describe('Exponent of the spacing. Default 7.'),
  })
  .prefault({})
  .describe(
    'Karras noise levels, ascending, that distribution matching and the fake score draw from by index; with prompts the ' +
      "teacher's own timesteps.",
  );

/** What the matching gradient is made of. */
export const gradientKeys = {
  weight: choice<(typeof matchingWeights)[number]>({
    eq8: "grad = (mu_fake - mu_real) / mean|x - mu_real|: Eq. 8, as in Algorithm 2 and the authors' code.",
    'eq8-alpha': "The same with Eq. 7's own factor alpha_t; for EDM, where alpha is 1, no difference.",
    'sigma/alpha': 'grad = (alpha/sigma) (mu_fake - mu_real): an ablation of Table 2.',
    'sigma^3/alpha': 'grad = alpha sigma (mu_fake - mu_real): an ablation of Table 2.',
    'sigma^2/alpha': 'grad = alpha (mu_fake - mu_real): Diff-Instruct for EDM, arXiv 2305.18455.',
  })
    .default('eq8')
    .describe('Weight w_t of the gradient (Eq. 7); Table 2 compares them. Default eq8.'),
  levels: levelsKey,
  minStep: whole(0, 'index').default(20).describe('Lowest level index drawn, inclusive. Default 20.'),
  maxStep: whole(0, 'index').default(980).describe('Highest level index drawn, inclusive. Default 980.'),
};

export const samplesKeys = {
  samplesEvery: every(500, 'Record a grid of one-step samples from fixed noise'),
  samples: whole(1, 'images').default(16).describe('Pictures in such a grid. Default 16.'),
};

export const qualityKey = z
  .strictObject({
    every: every(
      0,
      'Measure how near one-call pictures come to real ones, by each average of the generator (generator.ema), as the curves quality/...',
    ),
    count: whole(2, 'images').default(500).describe('Pictures per average and measurement. Default 500.'),
    features: z
      .string()
      .min(1)
      .default('scenes')
      .describe(
        'Network whose features the Frechet distance is taken in: scenes, fashion-mnist, or a file of `dmd features`. Default scenes.',
      ),
    reference: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Real pictures to compare with: a folder or zip of images, or an IDX file. Default: held-out scenes, for models of scenes.',
      ),
  })
  .prefault({})
  .describe('Quality over steps: which average of the weights, and which step, came nearest.');

export const recordKey = z
  .strictObject({
    ...samplesKeys,
    fieldsEvery: every(500, 'Record the score fields of a training batch (x, x_t, mu_real, mu_fake, grad)'),
    probeEvery: every(100, 'Record the probe: the same fields for fixed noise, labels and levels'),
    histogramsEvery: every(500, "Record histograms of the image gradient, and of the networks' weights and gradients"),
    healthEvery: every(
      25,
      "Record what health is judged by: the samples of fixed noise beside the teacher's, the fake score on them, the noise of the gradient",
    ),
    quality: qualityKey,
    budgetMB: z
      .number()
      .nonnegative()
      .meta({ unit: 'MB' })
      .default(500)
      .describe('Disk for recorded fields and probe together, in MB; older steps are thinned out. Default 500.'),
    probe: z
      .strictObject({
        seed: whole(0, '').default(0).describe("Seed of the probe's own random stream. Default 0."),
        count: whole(1, 'images').default(4).describe('Images in the probe. Default 4.'),
        levels: z
          .array(whole(0, 'index'))
          .min(1)
          .default([100, 300, 500, 700, 900])
          .describe('Indices into matching.levels. Default [100, 300, 500, 700, 900].'),
      })
      .prefault({})
      .describe('The probe has a random stream of its own: it never disturbs training.'),
  })
  .prefault({})
  .describe('What is recorded beside the loss curves, which have every iteration.');

type Matched = {
  readonly matching: z.infer<z.ZodObject<typeof gradientKeys>>;
  readonly record: z.infer<typeof recordKey>;
};

/** Complains of levels that are not there. @param schedules of minStep and maxStep */
export function checkLevels(
  { matching: m, record: { probe } }: Matched,
  schedules: { readonly minStep?: SchedulePoints | undefined; readonly maxStep?: SchedulePoints | undefined },
  complain: Complain,
): void {
  if (m.levels.sigmaMin >= m.levels.sigmaMax) complain(['matching', 'levels', 'sigmaMin'], 'must be below sigmaMax');
  if (m.maxStep >= m.levels.count) complain(['matching', 'maxStep'], `must be below levels.count, ${m.levels.count}`);
  if (m.minStep > m.maxStep) complain(['matching', 'minStep'], `must not be above maxStep, ${m.maxStep}`);
  for (const key of ['minStep', 'maxStep'] as const) {
    schedules[key]?.forEach(([, value], i) => {
      if (value >= m.levels.count) complain(['schedules', key, i, 1], `must be below levels.count, ${m.levels.count}`);
    });
  }
  probe.levels.forEach((level, i) => {
    if (level >= m.levels.count) {
      complain(['record', 'probe', 'levels', i], `must be below matching.levels.count, ${m.levels.count}`);
    }
  });
}
