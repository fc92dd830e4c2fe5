/**
 * `kind: "teach-autoencoder"`: training an AutoencoderKL, in whose latent space a text model is taught then. The loss is
 * that of latent diffusion (Rombach et al., arXiv 2112.10752, appendix G) without its perceptual and adversarial parts.
 */
import { captionedData } from './captioned.ts';
import { checkpointKey, choice, every, runKeys, whole } from './common.ts';
import { autoencoderSchema } from './diffusers.ts';
import { updateKeys } from './update-keys.ts';
import { z } from './zod.ts';

export const teachAutoencoderSchema = z
  .strictObject({
    kind: z.literal('teach-autoencoder').describe('Train the autoencoder of a text model.'),
    ...runKeys,
    data: captionedData(1_000_000),
    network: autoencoderSchema,
    initial: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Weights to begin with: a component folder 'vae' of the same network, or builtin:scenes-text/vae. Default: random.",
      ),
    trains: choice({
      all: 'The whole autoencoder.',
      decoder:
        "Only what makes images of latents: sharper pictures for a text model that was taught on the encoder's latents already.",
    })
      .default('all')
      .describe('Which part is trained; for decoder, initial brings the encoder. Default all.'),
    ...updateKeys({ iterations: 10000, batch: 16 }),
    loss: z
      .strictObject({
        distance: choice({
          l1: 'The mean of absolute differences.',
          l2: 'The mean of squared differences.',
        })
          .default('l1')
          .describe('How far the decoded image is from the image. Default l1.'),
        edges: z
          .number()
          .nonnegative()
          .default(0.5)
          .describe(
            'Weight of the same distance between the differences of neighbouring pixels, for sharp edges. Default 0.5.',
          ),
        kl: z
          .number()
          .nonnegative()
          .default(1e-4)
          .describe(
            'Weight of the divergence of the latents from a standard normal, per latent number: keeps latents near zero and ' +
              'close together. Default 1e-4.',
          ),
      })
      .prefault({})
      .describe('What is made small.'),
    crops: z
      .strictObject({
        size: whole(8, 'pixels')
          .default(16)
          .describe('Side of the crops; a multiple of how far the network makes images smaller. Default 16.'),
        batch: whole(1, 'images').default(64).describe('Crops per micro-batch. Default 64.'),
        iterations: whole(0, 'updates').default(0).describe('Updates on crops; 0 none. Default 0.'),
      })
      .prefault({})
      .describe(
        'At first only a random part of each image is looked at, which is faster and enough to learn colours from.',
      ),
    scaleImages: whole(1, 'images')
      .default(1024)
      .describe(
        "Images that the latents' scale is measured on at the end: scaling_factor in config.json. Default 1024.",
      ),
    record: z
      .strictObject({
        samplesEvery: every(500, 'Record held-out images beside what comes back of them'),
        samples: whole(1, 'images').default(8).describe('How many images. Default 8.'),
        histogramsEvery: every(1000, "Record histograms of the network's weights and gradient"),
      })
      .prefault({})
      .describe('What is recorded beside the loss curves, which have every iteration.'),
    checkpoint: checkpointKey,
  })
  .superRefine(({ trains, initial, optimizer }, context) => {
    if (trains !== 'decoder') return;
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (initial === undefined)
      refuse(['initial'], "must name the autoencoder whose encoder stays, with trains 'decoder'");
    if (optimizer.weightDecay > 0) refuse(['optimizer', 'weightDecay'], "must be 0 with trains 'decoder'");
  });

export type TeachAutoencoderConfig = z.infer<typeof teachAutoencoderSchema>;
