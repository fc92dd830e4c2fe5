/**
 * `kind: "teach-text"`: training a text-to-image teacher of Stable Diffusion's kind, from scratch, in the latent space of an
 * autoencoder that is there already: U-Net and text encoder together.
 */
import { captionedData } from './captioned.ts';
import { checkpointKey, every, runKeys, whole } from './common.ts';
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
    tokenizer: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Folder of CLIP's vocab.json and merges.txt. Default: that of `initial`, or one made from the captions.",
      ),
    vocabulary: whole(514, 'tokens')
      .default(1000)
      .describe(
        'Size of a vocabulary that is made from the captions, at most: 514 bytes and marks, then what words are merged from, ' +
          'until every word is a token. Default 1000.',
      ),
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
    ...updateKeys({ iterations: 20000, batch: 64 }),
    loss: z
      .strictObject({
        emptyPrompts: z
          .number()
          .min(0)
          .max(1)
          .default(0.1)
          .describe('Share of images shown without their caption, so that guidance has both scores. Default 0.1.'),
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
  .superRefine(({ unet }, context) => {
    if (unet.attention.length === unet.block_out_channels.length) return;
    const message = `must have one entry per level, ${unet.block_out_channels.length}`;
    context.addIssue({ code: 'custom', path: ['unet', 'attention'], message });
  });

export type TeachTextConfig = z.infer<typeof teachTextSchema>;
