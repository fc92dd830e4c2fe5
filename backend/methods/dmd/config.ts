/** The keys of a config that are Distribution Matching Distillation's own. Defaults are the paper's where it names one. */
import {
  type Complain,
  checkLevels,
  choice,
  generatorKeys,
  gradientKeys,
  lpipsKeys,
  type MethodSection,
  optimizerKeys,
  recordKey,
  schedulePoints,
  whole,
  z,
} from '../../protocol/config/section.ts';

const generator = z
  .strictObject(generatorKeys(5e-5))
  .prefault({})
  .describe('The one-step generator G and its optimizer (AdamW).');

const fake = z
  .strictObject({
    ...optimizerKeys(5e-5),
    updatesPerStep: whole(1, 'updates')
      .default(1)
      .describe('Fake-score updates per generator update; those past the first on new images. Default 1 (paper).'),
  })
  .prefault({})
  .describe('The fake score mu_fake, trained on what the generator makes, and its optimizer (AdamW).');

const matching = z
  .strictObject({
    enabled: z.boolean().default(true).describe('false: the ablation without distribution matching. Default true.'),
    ...gradientKeys,
    realOnly: z
      .boolean()
      .default(false)
      .describe('true: mu_fake is replaced by x, the ablation of Figure 3a, which collapses. Default false.'),
  })
  .prefault({})
  .describe('The distribution matching gradient (Eq. 7 and 8).');

const regression = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('false: the ablation without regression (the paper then lowers lr to 1e-5). Default true.'),
    lambda: z
      .number()
      .nonnegative()
      .default(0.25)
      .describe('Weight of the regression loss. Default 0.25 (paper; 0.5 for unconditional CIFAR-10).'),
    distance: choice({
      l2: 'Mean squared error of the pixels; needs no further weights.',
      lpips: 'Perceptual distance of VGG16 features at 224 pixels, as in the paper; needs lpipsWeights.',
    })
      .default('l2')
      .describe('Distance between G(z_ref) and the image of the pair. Default l2 (paper: lpips).'),
    ...lpipsKeys,
    batch: whole(1, 'pairs').optional().describe('Pairs per micro-batch. Default: as many as batch.'),
    pairs: z
      .strictObject({
        path: z
          .string()
          .min(1)
          .optional()
          .describe('Folder of noise-image pairs (dmd pairs). Default: made before the run starts, in its folder.'),
        count: whole(1, 'pairs')
          .default(2000)
          .describe('How many pairs to make, or to use of the folder. Default 2000.'),
        steps: whole(1, 'steps')
          .default(18)
          .describe(
            'Sampler steps of the teacher per pair: Heun, or PNDM with prompts. Default 18 (paper: CIFAR-10; SD 50).',
          ),
      })
      .prefault({})
      .describe("Noise-image pairs from the teacher's deterministic sampler."),
  })
  .prefault({})
  .describe("The regression loss: G(z_ref) against the teacher's own image for that noise.");

const schedules = z
  .strictObject({
    lambda: schedulePoints(z.number().nonnegative()).describe('Replaces regression.lambda.'),
    minStep: schedulePoints(whole(0, 'index')).describe('Replaces matching.minStep; rounded to a whole index.'),
    maxStep: schedulePoints(whole(0, 'index')).describe('Replaces matching.maxStep; rounded to a whole index.'),
  })
  .prefault({})
  .describe('Values that change: [[iteration, value], ...], linear between, constant before and after.');

const precision = choice({
  float32: 'Everything in float32.',
  float16:
    'Networks and their gradients in float16; losses, sums, normalisations, weights and optimizers in float32, the loss scaled. ' +
    'Needs a device that computes in float16.',
})
  .default('float32')
  .describe('What networks compute in while they train. Default float32.');

const keys = { generator, fake, matching, regression, schedules, precision, record: recordKey };

export const dmdSection = {
  title: 'Distribution Matching Distillation (Yin et al., arXiv 2311.18828).',
  keys,
  paths: ['regression.lpipsWeights', 'regression.vggWeights', 'regression.pairs.path'],
  opens: ['regression', 'generator.sigma', 'matching.levels.count'],
  check,
} satisfies MethodSection<typeof keys>;

type Config = z.infer<z.ZodObject<typeof keys>> & {
  readonly text: { prompts?: string | undefined; regressionSpace: string };
};

/** What no key can say by itself. */
function check(config: Config, complain: Complain): void {
  const { matching: m, regression: r } = config;
  if (!m.enabled && !r.enabled) complain(['regression', 'enabled'], 'both losses are switched off: nothing to train');
  if (r.enabled && r.distance === 'lpips' && !r.lpipsWeights) {
    complain(['regression', 'distance'], 'lpips needs regression.lpipsWeights');
  }
  if (r.enabled && r.distance === 'lpips' && config.text.prompts && config.text.regressionSpace === 'latent') {
    complain(['text', 'regressionSpace'], 'lpips compares images: must be image');
  }
  checkLevels(config, config.schedules, complain);
}
