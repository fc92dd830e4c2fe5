/**
 * `kind: "teach-text"`: training a text-to-image teacher of Stable Diffusion's kind, from scratch, in the latent space of an
 * autoencoder that is there already: U-Net and text encoder together.
 */
import { captionedData, vocabularyKeys } from './captioned.ts';
import { checkpointKey, every, recomputeKey, runKeys, whole } from './common.ts';
import { schedulerSchema, textEncoderSchema, unetSchema } from './diffusers.ts';
import { updateKeys } from './update-keys.ts';
import { z } from './zod.ts';

export const teachTextSchema = z
  .strictObject({
    kind: z.literal('teach-text').describe('Train a text-to-image teacher.'),
    ...runKeys,
    data: captionedData(32_768),
    vae: z
      .string()
      .min(1)
      .describe(
        "Folder of the autoencoder: 'vae' of a diffusers folder, or of a run that taught one; builtin:scenes-text/vae is the built-in model's.",
      ),
    ...vocabularyKeys('Default: that of `initialText` or `initial`, or one made from the captions.'),
    unet: unetSchema,
    text_encoder: textEncoderSchema,
    scheduler: schedulerSchema,
    initial: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Weights to begin with, of the same networks: a diffusers folder, or builtin:scenes-text/teacher. Default: random.',
      ),
    initialText: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder with text_encoder and tokenizer to begin with in place of those of `initial`, such as a run with kind ' +
          'teach-text-encoder leaves. Default: none.',
      ),
    ...updateKeys({ iterations: 20000, batch: 64 }),
    recompute: recomputeKey,
    loss: z
      .strictObject({
        emptyPrompts: z
          .number()
          .min(0)
          .max(1)
          .default(0.1)
          .describe('Share of images shown without their caption, so that guidance has both scores. Default 0.1.'),
        minTimestep: whole(0, 'timesteps')
          .default(0)
          .describe('Lowest timestep drawn; the highest is the last of the schedule. Default 0.'),
        minSnrGamma: z
          .number()
          .nonnegative()
          .default(0)
          .describe(
            'Largest signal-to-noise ratio that counts in the weights of the noise levels (Hang et al., arXiv 2303.09556: 5); ' +
              '0 weighs all levels alike. Default 0.',
          ),
      })
      .prefault({})
      .describe("The mean squared error of the U-Net's prediction."),
    record: z
      .strictObject({
        samplesEvery: every(1000, 'Record pictures of held-out prompts from fixed noise'),
        samples: whole(1, 'images').default(16).describe('Pictures in such a grid. Default 16.'),
        sampleSteps: whole(1, 'steps').default(10).describe('DDIM steps of these samples. Default 10.'),
        guidance: z.number().min(1).default(3).describe('Their classifier-free guidance; 1 none. Default 3.'),
        histogramsEvery: every(1000, "Record histograms of the networks' weights and gradient"),
      })
      .prefault({})
      .describe('What is recorded beside the loss curve, which has every iteration.'),
    checkpoint: checkpointKey,
  })
  .superRefine(({ unet, loss, scheduler }, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const { attention, block_out_channels: levels } = unet;
    if (attention.length !== levels.length) {
      refuse(['unet', 'attention'], `must have one entry per level, ${levels.length}`);
    }
    const { num_train_timesteps: timesteps } = scheduler;
    if (loss.minTimestep >= timesteps) {
      refuse(['loss', 'minTimestep'], `must be below scheduler.num_train_timesteps, ${timesteps}`);
    }
  });

export type TeachTextConfig = z.infer<typeof teachTextSchema>;
