/** The keys of a config that are Distribution Matching Distillation's own. Defaults are the paper's where it names one. */
import {
  type Complain,
  choice,
  emaKey,
  every,
  type MethodSection,
  optimizerKeys,
  schedulePoints,
  whole,
  z,
} from '../../protocol/config/section.ts';

export const matchingWeights = ['eq8', 'eq8-alpha', 'sigma/alpha', 'sigma^3/alpha'] as const;

const generator = z
  .strictObject({
    ...optimizerKeys(5e-5),
    ema: emaKey(0),
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
  })
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

const levels = z
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

const matching = z
  .strictObject({
    enabled: z.boolean().default(true).describe('false: the ablation without distribution matching. Default true.'),
    weight: choice<(typeof matchingWeights)[number]>({
      eq8: "grad = (mu_fake - mu_real) / mean|x - mu_real|: Eq. 8, as in Algorithm 2 and the authors' code.",
      'eq8-alpha': "The same with Eq. 7's own factor alpha_t; for EDM, where alpha is 1, no difference.",
      'sigma/alpha': 'grad = (alpha/sigma) (mu_fake - mu_real): an ablation of Table 2.',
      'sigma^3/alpha': 'grad = alpha sigma (mu_fake - mu_real): an ablation of Table 2.',
    })
      .default('eq8')
      .describe('Weight w_t of the gradient (Eq. 7); Table 2 compares them. Default eq8.'),
    levels,
    minStep: whole(0, 'index').default(20).describe('Lowest level index drawn, inclusive. Default 20.'),
    maxStep: whole(0, 'index').default(980).describe('Highest level index drawn, inclusive. Default 980.'),
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
    lpipsWeights: z
      .string()
      .min(1)
      .optional()
      .describe("File with LPIPS' weights (version 0.1 on VGG16); needed for lpips."),
    vggWeights: z
      .string()
      .min(1)
      .optional()
      .describe("torchvision's vgg16 file, where lpipsWeights has only LPIPS' own linear layers."),
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

const record = z
  .strictObject({
    samplesEvery: every(500, 'Record a grid of one-step samples from fixed noise'),
    samples: whole(1, 'images').default(16).describe('Pictures in such a grid. Default 16.'),
    fieldsEvery: every(500, 'Record the score fields of a training batch (x, x_t, mu_real, mu_fake, grad)'),
    probeEvery: every(100, 'Record the probe: the same fields for fixed noise, labels and levels'),
    histogramsEvery: every(500, "Record histograms of the image gradient, and of the networks' weights and gradients"),
    healthEvery: every(
      25,
      "Record what health is judged by: the samples of fixed noise beside the teacher's, the fake score on them, the noise of the gradient",
    ),
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

const keys = { generator, fake, matching, regression, schedules, record };

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
  const {
    matching: m,
    regression: r,
    record: { probe },
  } = config;
  if (!m.enabled && !r.enabled) complain(['regression', 'enabled'], 'both losses are switched off: nothing to train');
  if (m.levels.sigmaMin >= m.levels.sigmaMax) complain(['matching', 'levels', 'sigmaMin'], 'must be below sigmaMax');
  if (m.maxStep >= m.levels.count) complain(['matching', 'maxStep'], `must be below levels.count, ${m.levels.count}`);
  if (m.minStep > m.maxStep) complain(['matching', 'minStep'], `must not be above maxStep, ${m.maxStep}`);
  if (r.enabled && r.distance === 'lpips' && !r.lpipsWeights) {
    complain(['regression', 'distance'], 'lpips needs regression.lpipsWeights');
  }
  if (r.enabled && r.distance === 'lpips' && config.text.prompts && config.text.regressionSpace === 'latent') {
    complain(['text', 'regressionSpace'], 'lpips compares images: must be image');
  }
  for (const key of ['minStep', 'maxStep'] as const) {
    config.schedules[key]?.forEach(([, value], i) => {
      if (value >= m.levels.count) complain(['schedules', key, i, 1], `must be below levels.count, ${m.levels.count}`);
    });
  }
  probe.levels.forEach((level, i) => {
    if (level >= m.levels.count) {
      complain(['record', 'probe', 'levels', i], `must be below matching.levels.count, ${m.levels.count}`);
    }
  });
}
