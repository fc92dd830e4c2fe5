/** `kind: "teach"`: training a teacher, from scratch or from earlier weights, with EDM's loss (Karras et al., arXiv 2206.00364). */
import { checkpointKey, choice, every, recomputeKey, runKeys, whole } from './common.ts';
import { networkSchema } from './network.ts';
import { updateKeys } from './update-keys.ts';
import { z } from './zod.ts';

const data = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .default('scenes')
      .describe(
        "scenes (drawn when needed), or a path: a folder or .zip in EDM's layout, a folder of IDX files, or a file of pictures " +
          'of theirs, its labels beside it. Default scenes.',
      ),
    fit: choice({
      none: 'They must have that size and kind of colour already.',
      pad: 'Black is added around them: 28 pixels become 32.',
      resize: 'They are stretched or shrunk to that size.',
    })
      .default('none')
      .describe(
        'How pictures become those of the network, img_resolution wide and high with img_channels; gray and colours become ' +
          'one another too. Default none.',
      ),
    seed: whole(0, '').default(0).describe('Which scenes: another seed is another set of the same kind. Default 0.'),
    count: whole(0, 'images')
      .default(0)
      .describe('Use the first so many images; 0 all of a data set, 1000000 of scenes. Default 0.'),
    useLabels: z.boolean().default(true).describe('Train with class labels. Default true.'),
    mirror: z.boolean().default(false).describe("Also the mirrored image of each, as EDM's xflip. Default false."),
  })
  .prefault({})
  .describe('Training images.');

export const teachSchema = z
  .strictObject({
    kind: z.literal('teach').describe('Train a teacher from scratch.'),
    ...runKeys,
    data,
    network: networkSchema,
    initial: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Weights to begin with, those of a model with the same network: a file or builtin:scenes/teacher. Default: random.',
      ),
    ...updateKeys({ iterations: 20000, batch: 32 }),
    recompute: recomputeKey,
    loss: z
      .strictObject({
        P_mean: z.number().default(-1.2).describe('Mean of the logarithm of the noise level. Default -1.2.'),
        P_std: z.number().positive().default(1.2).describe('Standard deviation of that logarithm. Default 1.2.'),
        sigma_data: z
          .number()
          .positive()
          .meta({ unit: 'data units' })
          .default(0.5)
          .describe('Expected standard deviation of the data. Default 0.5.'),
      })
      .prefault({})
      .describe("EDM's loss, with its argument names."),
    record: z
      .strictObject({
        samplesEvery: every(1000, 'Record a grid of samples from fixed noise'),
        samples: whole(1, 'images').default(16).describe('Pictures in such a grid. Default 16.'),
        sampleSteps: whole(1, 'steps').default(18).describe('Heun steps of these samples. Default 18.'),
        histogramsEvery: every(1000, "Record histograms of the network's weights and gradient"),
      })
      .prefault({})
      .describe('What is recorded beside the loss curve, which has every iteration.'),
    checkpoint: checkpointKey,
  })
  .superRefine((config, context) => {
    const { network, loss } = config;
    if (network.class === 'EDMPrecond' && (network.sigma_data ?? 0.5) !== loss.sigma_data) {
      const message = `must equal network.sigma_data, ${network.sigma_data ?? 0.5}`;
      context.addIssue({ code: 'custom', path: ['loss', 'sigma_data'], message });
    }
  });

export type TeachConfig = z.infer<typeof teachSchema>;
