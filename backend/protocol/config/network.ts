/**
 * A network by EDM's constructor names: the preconditioner's class, the U-Net's class and their arguments, unchanged, so
 * that a config, a pickle and a golden case say the same thing. What is left out has the original constructor's
 * default, which depends on the class and is filled in where the network is built.
 */
import { most } from '../network-bounds.ts';
import { choice, whole } from './common.ts';
import { z } from './zod.ts';

export const preconditionings = ['EDMPrecond', 'VPPrecond', 'VEPrecond', 'iDDPMPrecond'] as const;
export const modelTypes = ['SongUNet', 'DhariwalUNet'] as const;

/** Which class an argument belongs to; those of all classes are not listed. */
const owners: Record<string, readonly string[]> = {
  sigma_data: ['EDMPrecond'],
  sigma_min: ['EDMPrecond', 'VEPrecond'],
  sigma_max: ['EDMPrecond', 'VEPrecond'],
  beta_d: ['VPPrecond'],
  beta_min: ['VPPrecond'],
  epsilon_t: ['VPPrecond'],
  M: ['VPPrecond', 'iDDPMPrecond'],
  C_1: ['iDDPMPrecond'],
  C_2: ['iDDPMPrecond'],
  embedding_type: ['SongUNet'],
  channel_mult_noise: ['SongUNet'],
  encoder_type: ['SongUNet'],
  decoder_type: ['SongUNet'],
  resample_filter: ['SongUNet'],
};

const positive = z.number().positive();
const fraction = z.number().min(0).lt(1);

export const networkSchema = z
  .strictObject({
    class: choice<(typeof preconditionings)[number]>({
      EDMPrecond: "EDM's own, for networks trained with its loss.",
      VPPrecond: 'Variance preserving: DDPM++ of score-SDE.',
      VEPrecond: 'Variance exploding: NCSN++ of score-SDE.',
      iDDPMPrecond: "Improved DDPM's, such as ADM on ImageNet-64.",
    })
      .default('EDMPrecond')
      .describe('Preconditioning around the U-Net. Default EDMPrecond.'),
    model_type: choice<(typeof modelTypes)[number]>({
      SongUNet: 'DDPM++ and NCSN++; CIFAR-10 and the built-in models.',
      DhariwalUNet: 'ADM; ImageNet-64.',
    })
      .default('SongUNet')
      .describe('The U-Net: SongUNet (DDPM++, NCSN++) or DhariwalUNet (ADM). Default SongUNet.'),
    img_resolution: whole(1, 'pixels', most.pixels).describe('Image height and width in pixels.'),
    img_channels: whole(1, 'channels', most.width).describe('Colour channels.'),
    label_dim: whole(0, 'classes', most.classes).default(0).describe('Number of classes; 0 unconditional. Default 0.'),
    use_fp16: z
      .boolean()
      .default(false)
      .describe('Kept for old files; computing is always float32. Default false.')
      .meta({ deprecated: true }),
    sigma_min: z
      .number()
      .nonnegative()
      .meta({ unit: 'data units' })
      .optional()
      .describe('Lowest supported noise level. Default 0 (EDM), 0.02 (VE).'),
    // JSON has no infinity: model files of this program have null for it.
    sigma_max: positive
      .nullable()
      .meta({ unit: 'data units' })
      .optional()
      .describe('Highest supported noise level; null none. Default none (EDM), 100 (VE).'),
    sigma_data: positive
      .meta({ unit: 'data units' })
      .optional()
      .describe('Expected standard deviation of the data (EDM). Default 0.5.'),
    beta_d: positive.optional().describe('Extent of the noise schedule (VP). Default 19.9.'),
    beta_min: positive.optional().describe('Initial slope of the noise schedule (VP). Default 0.1.'),
    M: whole(1, 'timesteps', most.timesteps).optional().describe('Number of timesteps (VP, iDDPM). Default 1000.'),
    epsilon_t: positive.optional().describe('Lowest time (VP). Default 1e-5.'),
    C_1: positive.optional().describe('Schedule adjustment at low noise (iDDPM). Default 0.001.'),
    C_2: positive.optional().describe('Schedule adjustment at high noise (iDDPM). Default 0.008.'),
    augment_dim: whole(0, 'numbers', most.width)
      .optional()
      .describe('Length of augmentation labels; 0 none. Default 0.'),
    model_channels: whole(1, 'channels', most.width)
      .optional()
      .describe('Base number of channels. Default 128 (SongUNet), 192 (DhariwalUNet).'),
    channel_mult: z
      .array(whole(1, 'times model_channels', most.factor))
      .min(1)
      .max(most.levels)
      .optional()
      .describe(
        'Channels of each resolution as multiples. Default [1, 2, 2, 2] (SongUNet), [1, 2, 3, 4] (DhariwalUNet).',
      ),
    channel_mult_emb: whole(1, 'times model_channels', most.factor)
      .optional()
      .describe('Width of the embedding as a multiple. Default 4.'),
    num_blocks: whole(1, 'blocks', most.blocks)
      .optional()
      .describe('Residual blocks per resolution. Default 4 (SongUNet), 3 (DhariwalUNet).'),
    attn_resolutions: z
      .array(whole(1, 'pixels', most.pixels))
      .max(most.levels)
      .optional()
      .describe('Resolutions with self-attention. Default [16] (SongUNet), [32, 16, 8] (DhariwalUNet).'),
    dropout: fraction.optional().describe('Dropout while training a teacher; distillation has none. Default 0.1.'),
    label_dropout: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('Share of labels left out while training, for guidance. Default 0.'),
    embedding_type: choice({
      positional: 'Sines and cosines of the noise level (DDPM++).',
      fourier: 'Random Fourier features (NCSN++).',
    })
      .optional()
      .describe('Noise embedding: positional (DDPM++), fourier (NCSN++). Default positional.'),
    channel_mult_noise: whole(1, 'times model_channels', most.factor)
      .optional()
      .describe('Width of the noise embedding: 1 (DDPM++), 2 (NCSN++). Default 1.'),
    encoder_type: choice({
      standard: 'Plain down-sampling (DDPM++).',
      skip: 'The shrunken image is added at every resolution.',
      residual: 'The shrunken features are added at every resolution (NCSN++).',
    })
      .optional()
      .describe('Encoder: standard (DDPM++), residual (NCSN++). Default standard.'),
    decoder_type: choice({
      standard: 'Plain up-sampling.',
      skip: 'The image is summed up over the resolutions.',
    })
      .optional()
      .describe('Decoder. Default standard.'),
    resample_filter: z
      .array(z.number())
      .min(1)
      .max(most.taps)
      .optional()
      .describe('Filter for up- and down-sampling: [1, 1] (DDPM++), [1, 3, 3, 1] (NCSN++). Default [1, 1].'),
  })
  .superRefine((network, context) => {
    for (const [key, classes] of Object.entries(owners)) {
      const given = network[key as keyof typeof network] !== undefined;
      if (!given || classes.includes(network.class) || classes.includes(network.model_type)) continue;
      const chosen = classes.some((name) => name.endsWith('Precond')) ? network.class : network.model_type;
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `${chosen} has no such argument (${classes.join(', ')} has)`,
      });
    }
    const smallest = 2 ** ((network.channel_mult?.length ?? 4) - 1);
    if (network.img_resolution % smallest !== 0) {
      const message = `must be a multiple of ${smallest}: it is halved ${Math.log2(smallest)} times`;
      context.addIssue({ code: 'custom', path: ['img_resolution'], message });
    }
  })
  .describe("The network, by the argument names of EDM's constructors.");

export type NetworkConfig = z.infer<typeof networkSchema>;
