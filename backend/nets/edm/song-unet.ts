/**
 * The U-Net of Song et al. (arXiv 2011.13456) as EDM re-implements it (training/networks.py, SongUNet): DDPM++ with
 * positional embedding and standard encoder, NCSN++ with Fourier embedding, residual encoder and [1,3,3,1] filter.
 */
import type { Tensor } from '../../graph/graph.ts';
import { add, concat, conv2d, div, downsample2, linear, mul, silu, upsample2 } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';
import { fourierEmbedding, positionalEmbedding, swapHalves } from './embedding.ts';
import { initialBias, initialWeight, type LayerInit } from './initialization.ts';
import { augmentWeight, convParameters, groupNormLayer, linearLayer, scoped } from './layers.ts';
import type { Conditions, UNetOptions, UNetShape } from './unet.ts';
import { type BlockShape, type BlockStyle, unetBlock } from './unet-block.ts';

export interface SongUNetOptions extends UNetOptions {
  readonly embedding_type: 'positional' | 'fourier';
  readonly channel_mult_noise: number;
  readonly encoder_type: 'standard' | 'skip' | 'residual';
  readonly decoder_type: 'standard' | 'skip';
  readonly resample_filter: readonly number[];
}

const init: LayerInit = { mode: 'xavier_uniform', weight: 1, bias: 0 };
const initZero: LayerInit = { ...init, weight: 1e-5 };
const initAttention: LayerInit = { ...init, weight: Math.sqrt(0.2) };
const epsilon = 1e-6;

/** Channels of the noise embedding before the two mapping layers. */
export const songNoiseChannels = (o: SongUNetOptions) => o.model_channels * o.channel_mult_noise;

/** c_noise [B] -> [B, noise channels], before the swap that `songUNet` applies. */
export function songNoiseEmbedding(p: ParameterSource, options: SongUNetOptions, noise: Tensor): Tensor {
  const channels = songNoiseChannels(options);
  return options.embedding_type === 'fourier'
    ? fourierEmbedding(p, 'map_noise', noise, channels)
    : positionalEmbedding(noise, channels, { endpoint: true });
}

/** x [B, Cin, R, R] -> [B, outChannels, R, R]; at its bottleneck [B, C, r, r]. */
export function songUNet(
  p: ParameterSource,
  options: SongUNetOptions,
  shape: UNetShape,
  x: Tensor,
  conditions: Conditions,
): Tensor {
  const emb = embed(p, options, shape, conditions);
  const style: BlockStyle = {
    epsilon,
    skipScale: Math.SQRT1_2,
    resampleFilter: options.resample_filter,
    resampleProjection: true,
    adaptiveScale: false,
    heads: () => 1,
    init,
    initZero,
    initAttention,
  };
  const block = (name: string, input: Tensor, blockShape: BlockShape) =>
    x.graph.scope(name, () => {
      const build = () => unetBlock(scoped(p, name), style, input, emb, blockShape);
      return shape.recompute ? x.graph.recompute(build) : build();
    });
  const skips = encode(p, options, shape, x, block);
  if (shape.bottleneck) return skips.at(-1)!;
  return decode(p, options, shape, skips, block);
}

type Block = (name: string, input: Tensor, shape: BlockShape) => Tensor;

function embed(p: ParameterSource, options: SongUNetOptions, shape: UNetShape, conditions: Conditions): Tensor {
  const { noise, labels, augmentLabels } = conditions;
  const channels = songNoiseChannels(options);
  const { labelDim } = shape;
  let emb = swapHalves(songNoiseEmbedding(p, options, noise));
  if (labelDim > 0) {
    const fans = { fanIn: labelDim, fanOut: channels };
    const weight = p.get('map_label.weight', [channels, labelDim], initialWeight(init, fans));
    const bias = p.get('map_label.bias', [channels], initialBias(init, fans));
    // Missing labels are zeros: the bias still counts.
    emb = add(emb, labels ? linear(mul(labels, Math.sqrt(labelDim)), weight, bias) : bias);
  }
  if (options.augment_dim > 0) {
    const weight = augmentWeight(p, options.augment_dim, channels, init);
    if (augmentLabels) emb = add(emb, linear(augmentLabels, weight));
  }
  const width = options.model_channels * options.channel_mult_emb;
  emb = silu(linearLayer(p, 'map_layer0', emb, width, init));
  return silu(linearLayer(p, 'map_layer1', emb, width, init));
}

/** Returns what each encoder stage hands to the decoder, first to last; the last is the deepest image. */
function encode(p: ParameterSource, options: SongUNetOptions, shape: UNetShape, x: Tensor, block: Block): Tensor[] {
  const skips: Tensor[] = [];
  let aux = x;
  let h = x;
  options.channel_mult.forEach((mult, level) => {
    const resolution = shape.resolution >> level;
    const name = `enc.${resolution}x${resolution}`;
    if (level === 0) {
      const { weight, bias } = convParameters(p, `${name}_conv`, x.shape[1], options.model_channels, 3, init);
      h = conv2d(x, weight, bias, { padding: 1 });
    } else {
      h = block(`${name}_down`, h, { out: h.shape[1], resample: 'down' });
      if (options.encoder_type === 'skip') {
        aux = downsample2(aux, options.resample_filter);
        const { weight, bias } = convParameters(p, `${name}_aux_skip`, aux.shape[1], h.shape[1], 1, init);
        h = add(h, conv2d(aux, weight, bias));
      } else if (options.encoder_type === 'residual') {
        aux = div(add(h, auxResidual(p, `${name}_aux_residual`, options, aux, h.shape[1])), Math.SQRT2);
        h = aux;
      }
    }
    skips.push(h);
    for (let i = 0; i < options.num_blocks; i++) {
      const attention = options.attn_resolutions.includes(resolution);
      h = block(`${name}_block${i}`, h, { out: options.model_channels * mult, attention });
      skips.push(h);
    }
  });
  return skips;
}

/** Convolution and blur in one: the image is padded for both first, so that the blur sees no zeros of its own. */
function auxResidual(p: ParameterSource, name: string, options: SongUNetOptions, aux: Tensor, out: number): Tensor {
  const { weight, bias } = convParameters(p, name, aux.shape[1], out, 3, init);
  const filterPadding = Math.floor((options.resample_filter.length - 1) / 2);
  const convolved = conv2d(aux, weight, bias, { padding: 1 + filterPadding });
  return downsample2(convolved, options.resample_filter, { pad: 0 });
}

function decode(p: ParameterSource, options: SongUNetOptions, shape: UNetShape, skips: Tensor[], block: Block): Tensor {
  let h = skips[skips.length - 1];
  let aux: Tensor | null = null;
  const { channel_mult: mults } = options;
  for (let level = mults.length - 1; level >= 0; level--) {
    const resolution = shape.resolution >> level;
    const name = `dec.${resolution}x${resolution}`;
    if (level === mults.length - 1) {
      h = block(`${name}_in0`, h, { out: h.shape[1], attention: true });
      h = block(`${name}_in1`, h, { out: h.shape[1] });
    } else {
      h = block(`${name}_up`, h, { out: h.shape[1], resample: 'up' });
    }
    for (let i = 0; i <= options.num_blocks; i++) {
      const attention = i === options.num_blocks && options.attn_resolutions.includes(resolution);
      h = concat([h, skips.pop()!], 1);
      h = block(`${name}_block${i}`, h, { out: options.model_channels * mults[level], attention });
    }
    if (options.decoder_type === 'skip' || level === 0) {
      if (aux) aux = upsample2(aux, options.resample_filter, { gain: 4 });
      const { weight, bias } = convParameters(p, `${name}_aux_conv`, h.shape[1], shape.outChannels, 3, initZero);
      const normalized = silu(groupNormLayer(p, `${name}_aux_norm`, h, epsilon));
      const image = conv2d(normalized, weight, bias, { padding: 1 });
      aux = aux ? add(image, aux) : image;
    }
  }
  return aux!;
}
