/**
 * The U-Net of Stable Diffusion 1 and 2 (Rombach et al. 2022, arXiv 2112.10752; diffusers' UNet2DConditionModel), with the
 * parameter names of diffusers' files. It holds no values and no state: parameters come from a `ParameterSource`.
 */
import type { Tensor } from '../../graph/graph.ts';
import { concat, mul, silu, sub } from '../../graph/ops/index.ts';
import { collectParameters, type ParameterLayout, type ParameterSource } from '../../graph/parameters.ts';
import { scoped } from '../edm/layers.ts';
import { unsupported } from './config.ts';
import { convLayer, linearLayer, normSilu } from './layers.ts';
import { downsample, type ResnetStyle, resnetBlock, upsample } from './resnet.ts';
import { timestepEmbedding } from './timestep-embedding.ts';
import { transformer2d } from './transformer.ts';
import { parseUNetConfig, type UNetConfig, type UNetLevel, unetLevels } from './unet-config.ts';

export interface TextUNet {
  /** diffusers' keys, defaults filled in. */
  readonly config: UNetConfig;
  readonly layout: ParameterLayout;
  /** [in_channels, height, width] of the latents it is made for; others may be given to `predict`. */
  readonly latentShape: readonly [number, number, number];
  /** Channels of the text embedding: cross_attention_dim. */
  readonly contextDim: number;
  /**
   * What the network predicts (noise, v or velocity), [B, out_channels, h, w]. sample [B, in_channels, h, w], timestep [B]
   * (whole numbers held as float32), context [B, L, contextDim].
   */
  predict(source: ParameterSource, sample: Tensor, timestep: Tensor, context: Tensor): Tensor;
  /** What the middle block hands to the decoder, [B, features, h, w], of the same. */
  bottleneck(source: ParameterSource, sample: Tensor, timestep: Tensor, context: Tensor): Tensor;
}

export interface TextUNetOptions {
  /** 'blocks' keeps only what enters each block and computes the rest again for the gradient. */
  readonly recompute?: 'none' | 'blocks';
  /** [height, width] in place of the config's sample_size. */
  readonly size?: readonly [number, number];
}

/** Throws UserError('config') that names the key and value that are not known or not supported. */
export function createTextUNet(rawConfig: unknown, { recompute = 'none', size }: TextUNetOptions = {}): TextUNet {
  const config = parseUNetConfig(rawConfig);
  const { in_channels: channels, cross_attention_dim: contextDim } = config;
  const [height, width] = size ?? sizeOfConfig(config);
  const builder: (...of: Parameters<TextUNet['predict']>) => Builder = (_, sample, timestep, context) => {
    const [batch, , rows, columns] = sample.shape;
    const expect = (what: string, tensor: Tensor, wanted: readonly (number | undefined)[]) => {
      if (tensor.shape.length === wanted.length && tensor.shape.join() === wanted.join()) return;
      throw new Error(`${what} is [${tensor.shape}] where the U-Net wants [${wanted}]`);
    };
    expect('sample', sample, [batch, channels, rows, columns]);
    expect('timestep', timestep, [batch]);
    expect('context', context, [batch, context.shape[1], contextDim]);
    return new Builder(config, recompute === 'blocks', timestep, context);
  };
  const predict: TextUNet['predict'] = (...of) => builder(...of).build(of[0], of[1]);
  const bottleneck: TextUNet['bottleneck'] = (...of) => builder(...of).encode(of[0], of[1]).deepest;
  const layout = collectParameters((source) => {
    const { graph } = source;
    const sample = graph.input('sample', [1, channels, height, width]);
    return predict(source, sample, graph.input('timestep', [1]), graph.input('context', [1, 1, contextDim]));
  });
  return { config, layout, latentShape: [channels, height, width], contextDim, predict, bottleneck };
}

function sizeOfConfig({ sample_size: size }: UNetConfig): readonly [number, number] {
  if (size === null)
    throw unsupported('UNet2DConditionModel', 'sample_size', size, 'the size of the latents is needed');
  return typeof size === 'number' ? [size, size] : size;
}

/** One application of the U-Net. */
class Builder {
  readonly #config: UNetConfig;
  readonly #levels: readonly UNetLevel[];
  readonly #style: ResnetStyle;
  readonly #recompute: boolean;
  readonly #timestep: Tensor;
  readonly #context: Tensor;

  constructor(config: UNetConfig, recompute: boolean, timestep: Tensor, context: Tensor) {
    this.#config = config;
    this.#levels = unetLevels(config);
    this.#style = { groups: config.norm_num_groups, epsilon: config.norm_eps, zero: true };
    this.#recompute = recompute;
    this.#timestep = timestep;
    this.#context = context;
  }

  build(p: ParameterSource, sample: Tensor): Tensor {
    const config = this.#config;
    const { emb, skips, deepest } = this.encode(p, sample);
    const last = this.#up(p, deepest, skips, emb);
    const out = normSilu(p, 'conv_norm_out', last, config.norm_num_groups, config.norm_eps);
    return convLayer(p, 'conv_out', out, config.out_channels, { ...around(config.conv_out_kernel), zero: true });
  }

  /** Encoder and middle block. */
  encode(p: ParameterSource, sample: Tensor): { emb: Tensor; skips: Tensor[]; deepest: Tensor } {
    const config = this.#config;
    const emb = this.#embed(p);
    const input = config.center_input_sample ? sub(mul(sample, 2), 1) : sample;
    const first = convLayer(p, 'conv_in', input, this.#levels[0].channels, around(config.conv_in_kernel));
    const skips = this.#down(p, first, emb);
    const deepest =
      config.mid_block_type === null ? skips[skips.length - 1] : this.#middle(p, skips[skips.length - 1], emb);
    return { emb, skips, deepest };
  }

  /** [B, 4 * first channels], before the SiLU that every block applies. */
  #embed(p: ParameterSource): Tensor {
    const { flip_sin_to_cos: flip, freq_shift: shift } = this.#config;
    const { channels } = this.#levels[0];
    const waves = timestepEmbedding(this.#timestep, { channels, flip, shift });
    const hidden = silu(linearLayer(p, 'time_embedding.linear_1', waves, 4 * channels));
    return linearLayer(p, 'time_embedding.linear_2', hidden, 4 * channels);
  }

  /** What each step of the encoder hands to the decoder, first to last. */
  #down(p: ParameterSource, first: Tensor, emb: Tensor): Tensor[] {
    const skips = [first];
    let h = first;
    this.#levels.forEach((level, i) => {
      const q = scoped(p, `down_blocks.${i}`);
      for (let k = 0; k < level.layers; k++) {
        h = this.#layer(q, k, h, level, emb, level.downAttention);
        skips.push(h);
      }
      if (i === this.#levels.length - 1) return;
      h = downsample(scoped(q, 'downsamplers.0'), h, this.#config.downsample_padding);
      skips.push(h);
    });
    return skips;
  }

  #middle(p: ParameterSource, x: Tensor, emb: Tensor): Tensor {
    const level = this.#levels[this.#levels.length - 1];
    const q = scoped(p, 'mid_block');
    const first = this.#layer(q, 0, x, level, emb, true);
    return this.#block('mid_block.resnets.1', () =>
      resnetBlock(scoped(q, 'resnets.1'), this.#style, first, level.channels, emb),
    );
  }

  #up(p: ParameterSource, deepest: Tensor, skips: Tensor[], emb: Tensor): Tensor {
    let h = deepest;
    this.#levels.toReversed().forEach((level, i) => {
      const q = scoped(p, `up_blocks.${i}`);
      for (let k = 0; k <= level.layers; k++) {
        h = this.#layer(q, k, concat([h, skips.pop()!], 1), level, emb, level.upAttention);
      }
      if (i === this.#levels.length - 1) return;
      const [, , height, width] = skips[skips.length - 1].shape;
      h = upsample(scoped(q, 'upsamplers.0'), h, height, width);
    });
    return h;
  }

  /** A residual block and, where the level has attention, its transformer. */
  #layer(p: ParameterSource, k: number, x: Tensor, level: UNetLevel, emb: Tensor, attention: boolean): Tensor {
    const residual = this.#block(`resnets.${k}`, () =>
      resnetBlock(scoped(p, `resnets.${k}`), this.#style, x, level.channels, emb),
    );
    if (!attention) return residual;
    const style = {
      groups: this.#config.norm_num_groups,
      heads: level.heads,
      depth: level.depth,
      linearProjection: this.#config.use_linear_projection,
    };
    return this.#block(`attentions.${k}`, () =>
      transformer2d(scoped(p, `attentions.${k}`), style, residual, this.#context),
    );
  }

  #block(name: string, build: () => Tensor): Tensor {
    const { graph } = this.#context;
    return graph.scope(name, () => (this.#recompute ? graph.recompute(build) : build()));
  }
}

const around = (kernel: number) => ({ kernel, padding: (kernel - 1) / 2 });
