/** The keys of a config that are latent consistency distillation's own. Defaults are those of its paper and its authors' code, where they name one. */
import {
  againKey,
  type Complain,
  choice,
  imageDataKeys,
  type MethodSection,
  pathRecordKey,
  studentKey,
  targetKey,
  whole,
  z,
} from '../../protocol/config/section.ts';

const scale = z.number().min(1);

const loss = z
  .strictObject({
    distance: choice({
      huber: 'sqrt(d^2 + huberC^2) - huberC of every number: less moved by the few that are far off.',
      l2: 'Mean squared error of the latents.',
    })
      .default('huber')
      .describe("Distance of the generator's latents at both timesteps. Default huber (public code)."),
    huberC: z
      .number()
      .positive()
      .meta({ unit: 'data units' })
      .default(0.001)
      .describe('Differences far below it count as squared, far above it as they are. Default 0.001.'),
  })
  .prefault({})
  .describe('The consistency loss; every timestep weighs 1.');

const data = z
  .strictObject(imageDataKeys)
  .prefault({})
  .describe("Real images with captions, as latents of the teacher's own autoencoder, on which its paths begin.");

const keys = {
  generator: studentKey(8e-6, 0.999),
  steps: againKey(
    'Timesteps, descending, at which the finished generator is called again on its own latents with new noise: some of those that it is ' +
      'trained at, e.g. [759, 499, 259] for four steps. Default: none, one step.',
  ),
  skip: whole(1, 'timesteps')
    .default(20)
    .describe("Timesteps k that a step of the teacher's DDIM skips. Default 20 (paper)."),
  guidance: z
    .tuple([scale, scale])
    .optional()
    .describe(
      "Lowest and highest scale of classifier-free guidance of the teacher's step, drawn for each sample; 1 is none, the paper's omega + 1 " +
        '(paper: 3 to 15). Default: text.guidance for all.',
    ),
  timestepScaling: z
    .number()
    .positive()
    .default(10)
    .describe(
      'How fast the boundary condition gives way to the prediction: at timestep t the generator returns 0.25/((scaling t)^2 + 0.25) of what it ' +
        'is given. Default 10 (public code).',
    ),
  ...{ loss, target: targetKey('Default 0.95 (public code; paper 0.999943).'), data },
  record: pathRecordKey,
};

export const lcmSection = {
  title: 'Latent consistency distillation, LCM (Luo et al., arXiv 2310.04378).',
  keys,
  paths: ['data.source'],
  opens: ['data', 'steps', 'skip', 'timestepScaling'],
  check,
} satisfies MethodSection<typeof keys>;

/** Its own keys with every default filled in. */
export type LcmKeys = z.infer<z.ZodObject<typeof keys>>;

/** What no key can say by itself. */
function check({ guidance, steps }: LcmKeys, complain: Complain): void {
  if (guidance && guidance[0] > guidance[1]) complain(['guidance', 0], `must not be above ${guidance[1]}`);
  steps.at.forEach((timestep, i) => {
    if (i > 0 && timestep >= steps.at[i - 1]!) complain(['steps', 'at', i], 'timesteps must descend');
  });
}
