/** The keys of a config that are Diff-Instruct's own. Defaults are those of its paper and its public settings for CIFAR-10. */
import {
  type Complain,
  checkLevels,
  choice,
  generatorKeys,
  gradientKeys,
  type MethodSection,
  optimizerKeys,
  recordKey,
  whole,
  z,
} from '../../protocol/config/section.ts';

const learningRate = 1e-5;

/** Adam without momentum, decay, warm-up or clipping. */
const plainAdam = {
  weightDecay: z
    .number()
    .nonnegative()
    .default(0)
    .describe('Decoupled weight decay, per unit of learning rate. Default 0.'),
  beta1: z.number().min(0).lt(1).default(0).describe('Decay of the mean of gradients. Default 0: no momentum.'),
  warmup: whole(0, 'updates')
    .default(0)
    .describe('Updates over which the learning rate rises linearly from 0; 0 none. Default 0.'),
  clip: z
    .number()
    .nonnegative()
    .default(0)
    .describe('Largest L2 norm of the gradient, larger ones are scaled down; 0 no limit. Default 0.'),
};

const generator = z
  .strictObject({
    ...generatorKeys(learningRate),
    ...plainAdam,
    sigma: z
      .number()
      .positive()
      .meta({ unit: 'data units' })
      .optional()
      .describe(
        'Noise level the generator is called at: G(z) = D(sigma z; sigma). Default 1, as in the public settings for CIFAR-10; ' +
          'text: the last timestep.',
      ),
  })
  .prefault({})
  .describe('The one-step generator G and its optimizer (Adam).');

const fake = z
  .strictObject({
    ...optimizerKeys(learningRate),
    ...plainAdam,
    updatesPerStep: whole(1, 'updates')
      .default(1)
      .describe('Fake-score updates per generator update; those past the first on new images. Default 1.'),
  })
  .prefault({})
  .describe('The fake score mu_fake, trained on what the generator makes, and its optimizer (Adam).');

const matching = z
  .strictObject({
    ...gradientKeys,
    weight: gradientKeys.weight
      .unwrap()
      .default('sigma^2/alpha')
      .describe(
        'Weight w(t) of the integral; as a gradient of x. Default sigma^2/alpha, for EDM mu_fake - mu_real (public code).',
      ),
    minStep: whole(0, 'index').default(0).describe('Lowest level index drawn, inclusive. Default 0.'),
    maxStep: whole(0, 'index').default(999).describe('Highest level index drawn, inclusive. Default 999.'),
    time: choice({
      'log-normal': 'ln(sigma/alpha) is normal, as where EDM trains a teacher; the nearest level is taken.',
      uniform: 'Every level index as often as any other, as in DMD.',
    })
      .default('log-normal')
      .describe('How levels are drawn, for the gradient and for the fake score. Default log-normal.'),
    logMean: z
      .number()
      .default(-1.2)
      .describe("Mean of ln(sigma/alpha) of log-normal levels. Default -1.2, EDM's P_mean."),
    logStd: z
      .number()
      .positive()
      .default(1.2)
      .describe("Standard deviation of ln(sigma/alpha) of log-normal levels. Default 1.2, EDM's P_std."),
  })
  .prefault({})
  .describe('The gradient of the integral KL divergence: w(t) (s_fake - s_real), over all noise levels.');

const keys = { generator, fake, matching, record: recordKey };

export const diffInstructSection = {
  title: 'Diff-Instruct (Luo et al., arXiv 2305.18455).',
  keys,
  paths: [],
  opens: ['generator.sigma', 'matching.levels.count'],
  check,
} satisfies MethodSection<typeof keys>;

/** Its own keys with every default filled in. */
export type DiffInstructKeys = z.infer<z.ZodObject<typeof keys>>;

function check(config: DiffInstructKeys, complain: Complain): void {
  checkLevels(config, {}, complain);
}
