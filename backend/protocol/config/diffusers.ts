/**
 * The parts of Stable Diffusion that can be taught, described with the argument names of diffusers and transformers: what
 * stands here goes into the `config.json` of the component. Sizes only; what they leave open is as in Stable Diffusion.
 */
import { most } from '../network-bounds.ts';
import { choice, whole } from './common.ts';
import { z } from './zod.ts';

const channels = (what: string) =>
  z
    .array(whole(1, 'channels', most.width))
    .min(1)
    .max(most.levels)
    .describe(what);
const groups = (count: number) =>
  whole(1, 'groups', most.width)
    .default(count)
    .describe(
      `Groups of every group normalisation; they divide each channel count. With only two or three channels each, flat ` +
        `colours are lost. Default ${count}.`,
    );

export const autoencoderSchema = z
  .strictObject({
    block_out_channels: channels(
      'Channels of each level, finest first; every level but the last halves the image. In Stable Diffusion 128, 256, 512, 512.',
    ),
    latent_channels: whole(1, 'channels', most.width).default(4).describe('Channels of the latent image. Default 4.'),
    layers_per_block: whole(1, 'blocks', most.blocks).default(1).describe('Residual blocks per level. Default 1.'),
    norm_num_groups: groups(1),
    mid_block_add_attention: z
      .boolean()
      .default(true)
      .describe('Attention at the coarsest level, as in Stable Diffusion. Default true.'),
  })
  .describe("AutoencoderKL, with diffusers' argument names.");

export const unetSchema = z
  .strictObject({
    block_out_channels: channels(
      'Channels of each level, finest first; every level but the last halves the latent image. In Stable Diffusion 320, 640, 1280, 1280.',
    ),
    layers_per_block: whole(1, 'blocks', most.blocks).default(1).describe('Residual blocks per level. Default 1.'),
    attention: z
      .array(z.boolean())
      .min(1)
      .max(most.levels)
      .describe('For each level, finest first, whether it looks at the prompt: CrossAttnDownBlock2D or DownBlock2D.'),
    attention_head_dim: whole(1, 'heads', most.width)
      .default(4)
      .describe("Heads of every attention: diffusers' name for them. Default 4."),
    norm_num_groups: groups(8),
    use_linear_projection: z
      .boolean()
      .default(false)
      .describe(
        'Linear layers around an attention instead of 1x1 convolutions, as in Stable Diffusion 2. Default false.',
      ),
  })
  .describe("UNet2DConditionModel, with diffusers' argument names.");

export const textEncoderSchema = z
  .strictObject({
    hidden_size: whole(1, 'numbers', most.width)
      .default(64)
      .describe('Numbers per token, also what the U-Net gets. Default 64.'),
    intermediate_size: whole(1, 'numbers', most.width)
      .default(256)
      .describe('Numbers in the middle of a feed-forward part. Default 256.'),
    num_hidden_layers: whole(1, 'layers', most.blocks).default(2).describe('Transformer layers. Default 2.'),
    num_attention_heads: whole(1, 'heads', most.width).default(4).describe('Heads of an attention. Default 4.'),
    max_position_embeddings: whole(3, 'tokens', most.width)
      .default(32)
      .describe('Tokens of the longest prompt, its start and end counted; 77 in CLIP. Default 32.'),
    hidden_act: choice({ quick_gelu: 'As in the first CLIP.', gelu: 'As in OpenCLIP and Stable Diffusion 2.' })
      .default('quick_gelu')
      .describe('Activation. Default quick_gelu.'),
  })
  .prefault({})
  .describe("CLIPTextModel, with transformers' argument names.");

export const schedulerSchema = z
  .strictObject({
    num_train_timesteps: whole(2, 'timesteps', most.timesteps).default(1000).describe('Noise levels. Default 1000.'),
    beta_start: z.number().positive().lt(1).default(0.00085).describe('The first beta. Default 0.00085.'),
    beta_end: z.number().positive().lt(1).default(0.012).describe('The last beta. Default 0.012.'),
    beta_schedule: choice({
      linear: 'The betas themselves are evenly spaced.',
      scaled_linear: 'Their square roots are, as in Stable Diffusion.',
    })
      .default('scaled_linear')
      .describe('How the betas lie between. Default scaled_linear.'),
    prediction_type: choice({
      epsilon: 'The noise, as in Stable Diffusion 1.',
      v_prediction: 'alpha noise - sigma image, as in Stable Diffusion 2: steadier where little but noise is left.',
    })
      .default('v_prediction')
      .describe('What the U-Net predicts. Default v_prediction.'),
    timestep_spacing: choice({
      leading: 'From the first timestep up in equal steps, which leaves out the last: as in Stable Diffusion.',
      trailing: 'From the last timestep down in equal steps: sampling starts where a one-step generator is called.',
      linspace: 'From the first to the last in equal steps.',
    })
      .default('trailing')
      .describe('Which timesteps a sampler with few steps calls. Default trailing.'),
  })
  .prefault({})
  .describe("The noise schedule, with diffusers' argument names.");
