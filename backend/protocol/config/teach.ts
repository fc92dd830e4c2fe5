/** `kind: "teach"`: training a teacher, from scratch or from earlier weights, with EDM's loss (Karras et al., arXiv 2206.00364). */
import { checkpointKey, every, recomputeKey, runKeys, whole } from './common.ts';
import { imageDataKeys, mirrorKey } from './image-data.ts';
import { networkSchema } from './network.ts';
import { updateKeys } from './update-keys.ts';
import { z } from './zod.ts';

const data = z
  .strictObject({
    ...imageDataKeys,
    useLabels: z.boolean().default(true).describe('Train with class labels. Default true.'),
    mirror: mirrorKey,
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
