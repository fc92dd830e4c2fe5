/**
 * EDM's U-Net block: residual convolutions under a noise embedding, then optional self-attention. Arithmetic on small
 * tensors (biases, per-channel factors, kernel rows) replaces passes over the image where the result is the same.
 */
import type { Tensor } from '../../graph/graph.ts';
import {
  add,
  conv2d,
  downsample2,
  groupNorm,
  mul,
  reshape,
  silu,
  sliceAxis,
  upsample2,
} from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';
import type { LayerInit } from './initialization.ts';
import {
  convParameters,
  groupCount,
  groupNormLayer,
  linearLayer,
  normParameters,
  type WeightAndBias,
} from './layers.ts';
import { selfAttention } from './self-attention.ts';

/** What all blocks of a network share. */
export interface BlockStyle {
  readonly epsilon: number;
  /** Factor after the residual sum, and again after the attention's. */
  readonly skipScale: number;
  readonly resampleFilter: readonly number[];
  /** A resampling block has a 1x1 convolution on its skip path even when the channels do not change. */
  readonly resampleProjection: boolean;
  /** The embedding scales and shifts the second normalisation; otherwise it is added before it. */
  readonly adaptiveScale: boolean;
  readonly heads: (channels: number) => number;
  readonly init: LayerInit;
  /** For the last convolution of each branch, so that a new block starts near the identity. */
  readonly initZero: LayerInit;
  readonly initAttention: LayerInit;
}

export interface BlockShape {
  readonly out: number;
  readonly resample?: 'up' | 'down';
  readonly attention?: boolean;
}

/** x [B, C, H, W] with embedding [B, E] -> [B, out, H', W']; H' is H, 2H (up) or H/2 (down). */
export function unetBlock(p: ParameterSource, style: BlockStyle, x: Tensor, emb: Tensor, shape: BlockShape): Tensor {
  const [, cin] = x.shape;
  const { out } = shape;
  const first = resampled(silu(groupNormLayer(p, 'norm0', x, style.epsilon)), shape, style);
  const conv0 = convParameters(p, 'conv0', cin, out, 3, style.init);
  const condition = style.adaptiveScale ? scaleAndShift : shiftBeforeNorm;
  const conditioned = silu(condition(p, style, first, conv0, emb));
  const conv1 = convParameters(p, 'conv1', out, out, 3, style.initZero);
  const skip = skipPath(p, style, x, shape);
  // The skip path's bias rides along with conv1's: one sum over the image less in the gradient.
  const bias = skip.bias ? add(conv1.bias, skip.bias) : conv1.bias;
  const summed = scaled(add(conv2d(conditioned, conv1.weight, bias, { padding: 1 }), skip.image), style.skipScale);
  const heads = shape.attention ? style.heads(out) : 0;
  if (heads === 0) return summed;
  return scaled(add(selfAttention(p, style, summed, heads), summed), style.skipScale);
}

/** First convolution, embedding added, normalisation. The bias rides along with the embedding, one per channel too. */
function shiftBeforeNorm(p: ParameterSource, style: BlockStyle, x: Tensor, conv: WeightAndBias, emb: Tensor): Tensor {
  const channels = conv.bias.shape[0];
  const shift = add(linearLayer(p, 'affine', emb, channels, style.init), conv.bias);
  const shifted = add(conv2d(x, conv.weight, null, { padding: 1 }), reshape(shift, [x.shape[0], channels, 1, 1]));
  return groupNormLayer(p, 'norm1', shifted, style.epsilon);
}

/** First convolution and normalisation times (1 + scale), plus shift, both from the embedding; scale comes first. */
function scaleAndShift(p: ParameterSource, style: BlockStyle, x: Tensor, conv: WeightAndBias, emb: Tensor): Tensor {
  const channels = conv.bias.shape[0];
  const factors = linearLayer(p, 'affine', emb, 2 * channels, style.init);
  const scale = add(sliceAxis(factors, 1, 0, channels), 1);
  const shift = sliceAxis(factors, 1, channels, 2 * channels);
  const image = conv2d(x, conv.weight, conv.bias, { padding: 1 });
  const norm = normParameters(p, 'norm1', channels);
  const groups = groupCount(channels, 'norm1');
  return groupNorm(image, mul(norm.weight, scale), add(mul(norm.bias, scale), shift), groups, style.epsilon);
}

function skipPath(
  p: ParameterSource,
  style: BlockStyle,
  x: Tensor,
  shape: BlockShape,
): { image: Tensor; bias: Tensor | null } {
  const [, cin] = x.shape;
  const projected = cin !== shape.out || (shape.resample !== undefined && style.resampleProjection);
  if (!projected) return { image: resampled(x, shape, style), bias: null };
  const { weight, bias } = convParameters(p, 'skip', cin, shape.out, 1, style.init);
  // Filter and 1x1 convolution commute; the convolution runs on the smaller image.
  const image =
    shape.resample === 'up'
      ? resampled(conv2d(x, weight, null), shape, style)
      : conv2d(resampled(x, shape, style), weight, null);
  return { image, bias };
}

function resampled(x: Tensor, { resample }: BlockShape, { resampleFilter }: BlockStyle): Tensor {
  if (resample === 'up') return upsample2(x, resampleFilter, { gain: 4 });
  if (resample === 'down') return downsample2(x, resampleFilter);
  return x;
}

const scaled = (x: Tensor, factor: number) => (factor === 1 ? x : mul(x, factor));
