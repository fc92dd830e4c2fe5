/** The keys of a config that are consistency distillation's own. Defaults are those of its paper, where it names one. */
import {
  againKey,
  type Complain,
  choice,
  imageDataKeys,
  lpipsKeys,
  type MethodSection,
  mirrorKey,
  pathRecordKey,
  studentKey,
  targetKey,
  whole,
  z,
} from '../../protocol/config/section.ts';

const sigma = () => z.number().positive().meta({ unit: 'data units' });

const levels = z
  .strictObject({
    count: whole(2, 'levels')
      .default(18)
      .describe("Levels N of the teacher's path. Default 18 (paper: CIFAR-10; ImageNet-64 40)."),
    sigmaMin: sigma()
      .default(0.002)
      .describe('Lowest noise level, at which the generator returns what it is given. Default 0.002.'),
    sigmaMax: sigma()
      .default(80)
      .describe(
        'Highest noise level, at which a one-step generator is called: G(z) = f(sigmaMax z; sigmaMax). Default 80.',
      ),
    rho: z.number().positive().default(7).describe('Exponent of the spacing. Default 7.'),
  })
  .prefault({})
  .describe('Karras noise levels: the generator is to be the same at neighbouring ones on the path of the teacher.');

const solver = choice({
  heun: "Two calls of the teacher for a step; the paper's choice.",
  euler: 'One call: cheaper, with larger errors.',
})
  .default('heun')
  .describe('How the teacher steps from a level to the next lower one. Default heun (paper).');

const loss = z
  .strictObject({
    distance: choice({
      l2: 'Mean squared error of the pixels; needs no further weights.',
      lpips: "Perceptual distance of VGG16 features at 224 pixels, the paper's best; needs lpipsWeights.",
    })
      .default('l2')
      .describe("Distance of the generator's images at neighbouring levels. Default l2 (paper: lpips)."),
    ...lpipsKeys,
  })
  .prefault({})
  .describe('The consistency loss; every level weighs 1.');

const data = z
  .strictObject({ ...imageDataKeys, mirror: mirrorKey })
  .prefault({})
  .describe(
    "Real images, on which the teacher's paths begin, with classes where the teacher has some. A mixture brings its own points.",
  );

const keys = {
  generator: studentKey(8e-6, 0.999),
  steps: againKey(
    'Noise levels sigma, descending and below levels.sigmaMax, at which the finished generator is called again on its own image with ' +
      'new noise. Default: none, one step.',
  ),
  ...{ levels, solver, loss, data },
  target: targetKey('Default 0.95 (paper: ImageNet-64; CIFAR-10 0).'),
  record: pathRecordKey,
};

export const consistencySection = {
  title: 'Consistency distillation (Song et al., arXiv 2303.01469).',
  keys,
  paths: ['data.source', 'loss.lpipsWeights', 'loss.vggWeights'],
  opens: ['data', 'loss', 'steps', 'levels'],
  check,
} satisfies MethodSection<typeof keys>;

/** Its own keys with every default filled in. */
export type ConsistencyKeys = z.infer<z.ZodObject<typeof keys>>;

/** What no key can say by itself. */
function check({ levels: l, loss: of, steps }: ConsistencyKeys, complain: Complain): void {
  if (l.sigmaMin >= l.sigmaMax) complain(['levels', 'sigmaMin'], `must be below sigmaMax, ${l.sigmaMax}`);
  if (of.distance === 'lpips' && !of.lpipsWeights) complain(['loss', 'distance'], 'lpips needs loss.lpipsWeights');
  steps.at.forEach((level, i) => {
    if (i > 0 && level >= steps.at[i - 1]!) complain(['steps', 'at', i], 'levels must descend');
    if (level < l.sigmaMin) complain(['steps', 'at', i], `must not be below levels.sigmaMin, ${l.sigmaMin}`);
  });
}
