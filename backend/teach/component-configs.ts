/**
 * The whole `config.json` of each component that is taught here, from the sizes that a run's config gives: what those leave
 * open is as in Stable Diffusion, so that diffusers and transformers read the folders as they are.
 */
import type { TeachAutoencoderConfig, TeachTextConfig } from '../protocol/config/index.ts';

/** AutoencoderKL's constructor arguments. `scaling_factor` makes the latents' standard deviation 1; 1 while unknown. */
export function autoencoderConfig(network: TeachAutoencoderConfig['network'], size: number, scalingFactor = 1) {
  const levels = network.block_out_channels.length;
  return {
    in_channels: 3,
    out_channels: 3,
    down_block_types: Array<string>(levels).fill('DownEncoderBlock2D'),
    up_block_types: Array<string>(levels).fill('UpDecoderBlock2D'),
    ...network,
    act_fn: 'silu',
    sample_size: size,
    scaling_factor: scalingFactor,
  };
}

/**
 * UNet2DConditionModel's constructor arguments.
 * @param latents channels and side of the latent image
 * @param contextDim numbers per token
 */
export function unetConfig({ attention, ...unet }: TeachTextConfig['unet'], latents: LatentSize, contextDim: number) {
  const down = attention.map((looks) => (looks ? 'CrossAttnDownBlock2D' : 'DownBlock2D'));
  const up = attention.map((looks) => (looks ? 'CrossAttnUpBlock2D' : 'UpBlock2D')).reverse();
  return {
    sample_size: latents.side,
    in_channels: latents.channels,
    out_channels: latents.channels,
    down_block_types: down,
    mid_block_type: 'UNetMidBlock2DCrossAttn',
    up_block_types: up,
    ...unet,
    cross_attention_dim: contextDim,
    act_fn: 'silu',
    flip_sin_to_cos: true,
    freq_shift: 0,
    center_input_sample: false,
    downsample_padding: 1,
    mid_block_scale_factor: 1,
    norm_eps: 1e-5,
  };
}

export interface LatentSize {
  readonly channels: number;
  readonly side: number;
}

interface TokenNumbers {
  readonly count: number;
  readonly start: number;
  readonly end: number;
  readonly padding: number;
}

/** CLIPTextModel's configuration. */
export function textEncoderConfig(network: TeachTextConfig['text_encoder'], tokens: TokenNumbers) {
  return {
    model_type: 'clip_text_model',
    ...network,
    vocab_size: tokens.count,
    projection_dim: network.hidden_size,
    layer_norm_eps: 1e-5,
    attention_dropout: 0,
    bos_token_id: tokens.start,
    eos_token_id: tokens.end,
    pad_token_id: tokens.padding,
  };
}

/** scheduler_config.json of a DDIMScheduler, as Stable Diffusion's. */
export function schedulerConfig(scheduler: TeachTextConfig['scheduler']) {
  return {
    ...scheduler,
    clip_sample: false,
    set_alpha_to_one: false,
    steps_offset: scheduler.timestep_spacing === 'leading' ? 1 : 0,
    trained_betas: null,
  };
}
