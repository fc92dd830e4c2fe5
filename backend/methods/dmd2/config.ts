/** The keys of a config that are DMD2's own. Defaults are those of its paper for ImageNet-64, where it names one. */
import {
  type Complain,
  checkLevels,
  choice,
  generatorKeys,
  gradientKeys,
  imageDataKeys,
  type MethodSection,
  mirrorKey,
  optimizerKeys,
  recordKey,
  schedulePoints,
  whole,
  z,
} from '../../protocol/config/section.ts';

/** The discriminator's weights of the matching gradient, h(r) of the density ratio r = p_real/p_fake. */
export const divergences = [
  'reverse-kl',
  'forward-kl',
  'jensen-shannon',
  'hellinger',
  'softened-reverse-kl',
  'jeffreys',
] as const;

const learningRate = 2e-6;

const generator = z
  .strictObject(generatorKeys(learningRate))
  .prefault({})
  .describe('The generator G and its optimizer (AdamW).');

const fake = z
  .strictObject({
    ...optimizerKeys(learningRate),
    updatesPerStep: whole(1, 'updates')
      .default(5)
      .describe(
        'Updates of fake score and discriminator per generator update (two time scales); those past the first on new images. ' +
          'Default 5 (paper: ImageNet 5, SD v1.5 10).',
      ),
  })
  .prefault({})
  .describe('The fake score mu_fake, trained on what the generator makes, and its optimizer (AdamW).');

const matching = z
  .strictObject({
    ...gradientKeys,
    divergence: choice<(typeof divergences)[number]>({
      'reverse-kl': 'h = 1: distribution matching as it is.',
      'forward-kl': 'h = r: covers modes, with much variance.',
      'jensen-shannon': 'h = r / (1 + r): between the two.',
      hellinger: 'h = sqrt(r): squared Hellinger distance.',
      'softened-reverse-kl': 'h = 1 / (1 + r).',
      jeffreys: 'h = 1 + r: forward and reverse together.',
    })
      .default('reverse-kl')
      .describe(
        "Which divergence the gradient descends (f-distill, arXiv 2502.15681): each sample's is weighted by h(r), on average 1 " +
          'over the batch, where the discriminator gives the ratio r of real to generated images. Default reverse-kl.',
      ),
  })
  .prefault({})
  .describe('The distribution matching gradient (Eq. 7 and 8 of arXiv 2311.18828).');

const weight = z.number().nonnegative();

const gan = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('false: the ablation without GAN loss, which needs no real images. Default true.'),
    generatorWeight: weight
      .default(3e-3)
      .describe("Weight of the generator's GAN loss. Default 0.003 (paper; SD 0.001)."),
    discriminatorWeight: weight
      .default(1e-2)
      .describe("Weight of the discriminator's loss beside the fake score's denoising loss. Default 0.01 (paper)."),
    features: choice({
      fake: "The fake score's network, which the discriminator's loss trains too (trainsTrunk).",
      teacher: "The teacher's, which stays as it is.",
    })
      .default('fake')
      .describe('Whose bottleneck features tell real from generated images. Default fake (paper).'),
    trainsTrunk: z
      .boolean()
      .default(true)
      .describe(
        "false: the discriminator's loss trains its head alone, not the fake score's encoder. Default true (paper).",
      ),
    minStep: whole(0, 'index')
      .default(0)
      .describe(
        'Images are told apart with noise of a level drawn for each; lowest index, inclusive. Default 0 (paper).',
      ),
    maxStep: whole(0, 'index').default(999).describe('Highest of these, inclusive. Default 999 (paper).'),
    r1: weight
      .default(0)
      .describe(
        "Gamma of the R1 penalty, gamma/2 |grad D|^2 on real images, by finite differences (arXiv 2501.08316): D's change for " +
          'small noise on the image, squared, over the square of its size. Weighed like the loss it is added to. Default 0, none (paper).',
      ),
    r1Noise: z
      .number()
      .positive()
      .meta({ unit: 'data units' })
      .default(0.01)
      .describe('Standard deviation of that small noise. Default 0.01.'),
  })
  .prefault({})
  .describe(
    'The GAN loss: non-saturating, softplus(-D(x)) for the generator, softplus(D(x)) + softplus(-D(real)) for D.',
  );

const discriminator = z
  .strictObject(optimizerKeys(learningRate))
  .prefault({})
  .describe("The discriminator's head on those features, and its optimizer (AdamW).");

const data = z
  .strictObject({
    ...imageDataKeys,
    mirror: mirrorKey,
  })
  .prefault({})
  .describe('Real images, with classes where the teacher has some, or captions. A mixture brings its own points.');

const steps = z
  .strictObject({
    at: z
      .array(z.number().nonnegative().meta({ unit: 'data units or timesteps' }))
      .max(15)
      .default([])
      .describe(
        'Noise levels, descending, at which a few-step generator is called again on its own image with new noise: sigma below ' +
          'generator.sigma, with prompts whole timesteps (paper, SDXL: [749, 499, 249]). Default: none, one step.',
      ),
    from: choice({
      simulation: "The generator's own images of the steps before, as when it is sampled.",
      data: 'Real images of data.source.',
    })
      .default('simulation')
      .describe('What a later step is trained on, with noise of its level. Default simulation (paper).'),
  })
  .prefault({})
  .describe('A generator of a few steps. Each micro-batch trains one of them, each as often as any other.');

const rate = z.number().nonnegative();
const index = whole(0, 'index');

const schedules = z
  .strictObject({
    generatorLr: schedulePoints(rate).describe('Replaces generator.lr; warm-up and decay still count.'),
    fakeLr: schedulePoints(rate).describe('Replaces fake.lr; warm-up and decay still count.'),
    discriminatorLr: schedulePoints(rate).describe('Replaces discriminator.lr; warm-up and decay still count.'),
    generatorWeight: schedulePoints(weight).describe('Replaces gan.generatorWeight.'),
    discriminatorWeight: schedulePoints(weight).describe('Replaces gan.discriminatorWeight.'),
    minStep: schedulePoints(index).describe('Replaces matching.minStep; rounded to a whole index.'),
    maxStep: schedulePoints(index).describe('Replaces matching.maxStep; rounded to a whole index.'),
  })
  .prefault({})
  .describe(
    'Values that change: [[iteration, value], ...], linear between, constant before and after. Stages are two points at ' +
      'neighbouring iterations.',
  );

const keys = { generator, steps, fake, discriminator, matching, gan, data, schedules, record: recordKey };

export const dmd2Section = {
  title: 'Improved Distribution Matching Distillation, DMD2 (Yin et al., arXiv 2405.14867).',
  keys,
  paths: ['data.source'],
  opens: ['gan.enabled', 'data', 'steps', 'generator.sigma', 'matching.levels.count'],
  check,
} satisfies MethodSection<typeof keys>;

/** Its own keys with every default filled in. */
export type Dmd2Keys = z.infer<z.ZodObject<typeof keys>>;

/** What no key can say by itself. */
function check(config: Dmd2Keys, complain: Complain): void {
  const { gan: g, matching: m, steps: s } = config;
  checkLevels(config, config.schedules, complain);
  if (g.maxStep >= m.levels.count) {
    complain(['gan', 'maxStep'], `must be below matching.levels.count, ${m.levels.count}`);
  }
  if (g.minStep > g.maxStep) complain(['gan', 'minStep'], `must not be above maxStep, ${g.maxStep}`);
  s.at.forEach((level, i) => {
    if (i > 0 && level >= s.at[i - 1]!) complain(['steps', 'at', i], 'levels must descend');
  });
  if (!g.enabled && m.divergence !== 'reverse-kl') {
    complain(['matching', 'divergence'], 'needs the discriminator, and gan.enabled is false');
  }
}
