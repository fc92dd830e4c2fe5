/**
 * TAESD, the tiny autoencoder for Stable Diffusion's latents (github.com/madebyollin/taesd; diffusers' AutoencoderTiny):
 * convolutions and rectifiers only. Its latents are already scaled, and it gives one latent per picture, no distribution.
 */
import { z } from 'zod';
import type { Tensor } from '../../graph/graph.ts';
import { add, mul, relu, sub, tanh, upsample2 } from '../../graph/ops/index.ts';
import { collectParameters, type ParameterSource } from '../../graph/parameters.ts';
import { most } from '../../protocol/network-bounds.ts';
import { scoped } from '../edm/layers.ts';
import { type Autoencoder, checkImages, checkLatents } from './autoencoder.ts';
import { checkClass, count, only, parseModelConfig, perLevel, positive, unsupported } from './config.ts';
import { conv3, convLayer } from './layers.ts';

const what = 'AutoencoderTiny';
/** Latents beyond about three standard deviations are pressed back before decoding. */
const farthest = 3;

const stages = perLevel(z.int().nonnegative().max(most.blocks));

const shape = {
  in_channels: count.default(3),
  out_channels: count.default(3),
  encoder_block_out_channels: perLevel(count).default([64, 64, 64, 64]),
  decoder_block_out_channels: perLevel(count).default([64, 64, 64, 64]),
  /** Written by diffusers and not read by it. */
  block_out_channels: perLevel(count).optional(),
  num_encoder_blocks: stages.default([1, 3, 3, 3]),
  num_decoder_blocks: stages.default([3, 3, 3, 1]),
  latent_channels: count.default(4),
  act_fn: only('relu'),
  upsample_fn: only('nearest'),
  upsampling_scaling_factor: only(2),
  scaling_factor: positive.default(1),
  shift_factor: only(0),
  /** Of latents stored as bytes, which is not done here. */
  latent_magnitude: z.number().default(3),
  latent_shift: z.number().default(0.5),
  /** Computed in float32 either way. */
  force_upcast: z.boolean().default(false),
};

export type AutoencoderTinyConfig = z.output<z.ZodObject<typeof shape>>;

/** Throws UserError('config') that names key and value. */
export function createAutoencoderTiny(rawConfig: unknown): Autoencoder<AutoencoderTinyConfig> {
  const config = parseModelConfig(what, shape, rawConfig);
  checkClass(what, rawConfig);
  checkStages(config);
  const { in_channels: imageChannels, latent_channels: latentChannels } = config;
  const downFactor = 2 ** (config.num_encoder_blocks.length - 1);
  const encode: Autoencoder['encode'] = (source, images) => {
    checkImages(images, imageChannels, downFactor);
    return { mean: encoder(scoped(source, 'encoder.layers'), config, images), logVariance: null };
  };
  const decode: Autoencoder['decode'] = (source, latents) => {
    checkLatents(latents, latentChannels);
    return decoder(scoped(source, 'decoder.layers'), config, latents);
  };
  const layout = collectParameters((source) => {
    encode(source, source.graph.input('images', [1, imageChannels, downFactor, downFactor]));
    decode(source, source.graph.input('latents', [1, latentChannels, 1, 1]));
  });
  const scalingFactor = config.scaling_factor;
  return { config, layout, imageChannels, latentChannels, downFactor, scalingFactor, encode, decode };
}

/** Strided convolutions and up-samplings keep the channels, so all stages of a side are equally wide. */
function checkStages(config: AutoencoderTinyConfig): void {
  for (const side of ['encoder', 'decoder'] as const) {
    const widths = config[`${side}_block_out_channels`];
    const stages = config[`num_${side}_blocks`].length;
    const key = `${side}_block_out_channels`;
    if (widths.length !== stages) throw unsupported(what, key, widths, `num_${side}_blocks has ${stages} stages`);
    if (new Set(widths).size > 1) throw unsupported(what, key, widths, 'all stages need the same width');
  }
  const [down, up] = [config.num_encoder_blocks.length, config.num_decoder_blocks.length];
  if (down !== up)
    throw unsupported(what, 'num_decoder_blocks', config.num_decoder_blocks, `the encoder has ${down} stages`);
  if (config.in_channels !== config.out_channels) {
    throw unsupported(what, 'out_channels', config.out_channels, `in_channels is ${config.in_channels}`);
  }
}

/** diffusers numbers the layers of a side in one list, activations and up-samplings included. */
class Layers {
  readonly #p: ParameterSource;
  #index = 0;

  constructor(p: ParameterSource) {
    this.#p = p;
  }

  conv(x: Tensor, out: number, options: { stride?: number; bias?: boolean } = {}): Tensor {
    return convLayer(this.#p, `${this.#index++}`, x, out, { kernel: 3, padding: 1, ...options });
  }

  blocks(x: Tensor, count: number): Tensor {
    let h = x;
    for (let i = 0; i < count; i++) h = tinyBlock(scoped(this.#p, `${this.#index++}`), h);
    return h;
  }

  /** A layer without parameters. */
  skip(): void {
    this.#index += 1;
  }
}

function encoder(p: ParameterSource, config: AutoencoderTinyConfig, images: Tensor): Tensor {
  const layers = new Layers(p);
  let h = mul(add(images, 1), 0.5);
  config.num_encoder_blocks.forEach((count, i) => {
    h = layers.conv(h, config.encoder_block_out_channels[i], i === 0 ? {} : { stride: 2, bias: false });
    h = layers.blocks(h, count);
  });
  return layers.conv(h, config.latent_channels);
}

function decoder(p: ParameterSource, config: AutoencoderTinyConfig, latents: Tensor): Tensor {
  const layers = new Layers(p);
  const bounded = mul(tanh(mul(latents, 1 / farthest)), farthest);
  let h = relu(layers.conv(bounded, config.decoder_block_out_channels[0]));
  layers.skip();
  config.num_decoder_blocks.forEach((count, i) => {
    const final = i === config.num_decoder_blocks.length - 1;
    h = layers.blocks(h, count);
    if (!final) {
      h = upsample2(h, [1, 1], { gain: 4 });
      layers.skip();
    }
    h = layers.conv(h, final ? config.out_channels : h.shape[1], { bias: final });
  });
  return sub(mul(h, 2), 1);
}

/** Three convolutions beside the identity; x [B, C, H, W]. */
function tinyBlock(p: ParameterSource, x: Tensor): Tensor {
  const [, channels] = x.shape;
  const first = relu(conv3(p, 'conv.0', x, channels));
  const second = relu(conv3(p, 'conv.2', first, channels));
  return relu(add(conv3(p, 'conv.4', second, channels), x));
}
