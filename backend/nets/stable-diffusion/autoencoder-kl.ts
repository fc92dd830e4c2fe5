/**
 * The autoencoder of Stable Diffusion (diffusers' AutoencoderKL): residual blocks at falling sizes, attention over all
 * positions at the smallest, and a diagonal normal distribution over latents.
 */
import { z } from 'zod';
import type { Tensor } from '../../graph/graph.ts';
import { add, headAttention, maximum, minimum, reshape, sliceAxis } from '../../graph/ops/index.ts';
import { collectParameters, type ParameterSource } from '../../graph/parameters.ts';
import { scoped } from '../edm/layers.ts';
import { type Autoencoder, checkImages, checkLatents } from './autoencoder.ts';
import { absent, blocks, checkClass, count, parseModelConfig, perLevel, positive, unsupported } from './config.ts';
import { conv3, convLayer, groupNormLayer, linearLayer, normSilu, toImage, toTokens } from './layers.ts';
import { downsample, type ResnetStyle, resnetBlock, upsample } from './resnet.ts';

export type { Autoencoder };

const what = 'AutoencoderKL';
const epsilon = 1e-6;

const shape = {
  in_channels: count.default(3),
  out_channels: count.default(3),
  down_block_types: perLevel(z.literal('DownEncoderBlock2D')).default(['DownEncoderBlock2D']),
  up_block_types: perLevel(z.literal('UpDecoderBlock2D')).default(['UpDecoderBlock2D']),
  block_out_channels: perLevel(count).default([64]),
  layers_per_block: blocks.default(1),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
  latent_channels: count.default(4),
  norm_num_groups: count.default(32),
  /** What it was trained on; pictures of other sizes may be given. */
  sample_size: z.union([count, z.array(count).max(2)]).default(32),
  scaling_factor: positive.default(0.18215),
  shift_factor: absent,
  latents_mean: absent,
  latents_std: absent,
  /** Computed in float32 either way. */
  force_upcast: z.union([z.boolean(), z.number()]).default(true),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
  mid_block_add_attention: z.boolean().default(true),
};

export type AutoencoderKLConfig = z.output<z.ZodObject<typeof shape>>;

/** Throws UserError('config') that names key and value. */
export function createAutoencoderKL(rawConfig: unknown): Autoencoder<AutoencoderKLConfig> {
  const config = parseModelConfig(what, shape, rawConfig);
  checkClass(what, rawConfig);
  const { block_out_channels: widths, in_channels: imageChannels, latent_channels: latentChannels } = config;
  for (const key of ['down_block_types', 'up_block_types'] as const) {
    if (config[key].length !== widths.length) {
      throw unsupported(what, key, config[key], `block_out_channels has ${widths.length} blocks`);
    }
  }
  if (config.out_channels !== imageChannels) {
    throw unsupported(what, 'out_channels', config.out_channels, `in_channels is ${imageChannels}`);
  }
  const downFactor = 2 ** (widths.length - 1);

  const encode: Autoencoder['encode'] = (source, images) => {
    checkImages(images, imageChannels, downFactor);
    const encoded = encoder(scoped(source, 'encoder'), config, images);
    const moments = config.use_quant_conv
      ? convLayer(source, 'quant_conv', encoded, 2 * latentChannels, { kernel: 1 })
      : encoded;
    const logVariance = sliceAxis(moments, 1, latentChannels, 2 * latentChannels);
    return { mean: sliceAxis(moments, 1, 0, latentChannels), logVariance: minimum(maximum(logVariance, -30), 20) };
  };
  const decode: Autoencoder['decode'] = (source, latents) => {
    checkLatents(latents, latentChannels);
    const quantized = config.use_post_quant_conv
      ? convLayer(source, 'post_quant_conv', latents, latentChannels, { kernel: 1 })
      : latents;
    return decoder(scoped(source, 'decoder'), config, quantized);
  };
  const layout = collectParameters((source) => {
    encode(source, source.graph.input('images', [1, imageChannels, downFactor, downFactor]));
    decode(source, source.graph.input('latents', [1, latentChannels, 1, 1]));
  });
  const scalingFactor = config.scaling_factor;
  return { config, layout, imageChannels, latentChannels, downFactor, scalingFactor, encode, decode };
}

const styleOf = ({ norm_num_groups: groups }: AutoencoderKLConfig): ResnetStyle => ({ groups, epsilon, zero: false });

function encoder(p: ParameterSource, config: AutoencoderKLConfig, images: Tensor): Tensor {
  const { block_out_channels: widths, layers_per_block: layers, latent_channels: latentChannels } = config;
  const style = styleOf(config);
  let h = conv3(p, 'conv_in', images, widths[0]);
  widths.forEach((width, i) => {
    const q = scoped(p, `down_blocks.${i}`);
    for (let k = 0; k < layers; k++) h = resnetBlock(scoped(q, `resnets.${k}`), style, h, width, null);
    if (i < widths.length - 1) h = downsample(scoped(q, 'downsamplers.0'), h, 0);
  });
  h = middle(scoped(p, 'mid_block'), config, h);
  return conv3(p, 'conv_out', normSilu(p, 'conv_norm_out', h, style.groups, epsilon), 2 * latentChannels);
}

function decoder(p: ParameterSource, config: AutoencoderKLConfig, latents: Tensor): Tensor {
  const { layers_per_block: layers, out_channels: imageChannels } = config;
  const widths = config.block_out_channels.toReversed();
  const style = styleOf(config);
  let h = middle(scoped(p, 'mid_block'), config, conv3(p, 'conv_in', latents, widths[0]));
  widths.forEach((width, i) => {
    const q = scoped(p, `up_blocks.${i}`);
    for (let k = 0; k <= layers; k++) h = resnetBlock(scoped(q, `resnets.${k}`), style, h, width, null);
    const [, , height, wide] = h.shape;
    if (i < widths.length - 1) h = upsample(scoped(q, 'upsamplers.0'), h, 2 * height, 2 * wide);
  });
  return conv3(p, 'conv_out', normSilu(p, 'conv_norm_out', h, style.groups, epsilon), imageChannels);
}

function middle(p: ParameterSource, config: AutoencoderKLConfig, x: Tensor): Tensor {
  const [, width] = x.shape;
  const style = styleOf(config);
  let h = resnetBlock(scoped(p, 'resnets.0'), style, x, width, null);
  if (config.mid_block_add_attention) h = selfAttention(scoped(p, 'attentions.0'), style.groups, h);
  return resnetBlock(scoped(p, 'resnets.1'), style, h, width, null);
}

/** One head over all positions; x [B, C, H, W]. */
function selfAttention(p: ParameterSource, groups: number, x: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape;
  const tokens = toTokens(groupNormLayer(p, 'group_norm', x, groups, epsilon));
  const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((name) =>
    reshape(linearLayer(p, name, tokens, channels), [batch, height * width, channels]),
  );
  const mixed = reshape(headAttention(q, k, v, { heads: 1 }), tokens.shape);
  return add(x, toImage(linearLayer(p, 'to_out.0', mixed, channels), x));
}
