/**
 * The layers Stable Diffusion's networks are made of, with diffusers' parameter names. Weights start as PyTorch starts
 * them (uniform, bound 1/sqrt(fan in), biases too), or at zero where a block should begin as the identity.
 */
import type { Tensor } from '../../graph/graph.ts';
import {
  type ConvOptions,
  conv2d,
  groupNorm,
  layerNorm,
  linear,
  reshape,
  silu,
  transpose,
} from '../../graph/ops/index.ts';
import type { Init, ParameterSource } from '../../graph/parameters.ts';
import { UserError } from '../../protocol/errors.ts';

const zeros: Init = { kind: 'zeros' };

interface LayerStart {
  /** Start with zeros. */
  readonly zero?: boolean;
}

const startOf = (fanIn: number, { zero = false }: LayerStart): Init =>
  zero ? zeros : { kind: 'uniform', bound: 1 / Math.sqrt(fanIn) };

export interface ConvShape extends LayerStart, ConvOptions {
  readonly kernel: number;
  readonly bias?: boolean;
}

/** x [B, Cin, H, W] -> [B, cout, H', W']: name.weight [cout, Cin, kernel, kernel], name.bias [cout]. */
export function convLayer(p: ParameterSource, name: string, x: Tensor, cout: number, shape: ConvShape): Tensor {
  const [, cin] = x.shape;
  const { kernel, bias = true } = shape;
  const start = startOf(cin * kernel * kernel, shape);
  const weight = p.get(`${name}.weight`, [cout, cin, kernel, kernel], start);
  return conv2d(x, weight, bias ? p.get(`${name}.bias`, [cout], start) : null, shape);
}

/** The usual 3x3 convolution that keeps the size. */
export const conv3 = (p: ParameterSource, name: string, x: Tensor, cout: number, start: LayerStart = {}): Tensor =>
  convLayer(p, name, x, cout, { ...start, kernel: 3, padding: 1 });

export interface LinearShape extends LayerStart {
  readonly bias?: boolean;
  /** The weight is stored as that of a 1x1 convolution, [out, in, 1, 1]. */
  readonly asConvolution?: boolean;
}

/** x [N, in] -> [N, out]: name.weight [out, in], name.bias [out]. */
export function linearLayer(p: ParameterSource, name: string, x: Tensor, out: number, shape: LinearShape = {}): Tensor {
  const [, cin] = x.shape;
  const { bias = true, asConvolution = false } = shape;
  const start = startOf(cin, shape);
  const stored = p.get(`${name}.weight`, asConvolution ? [out, cin, 1, 1] : [out, cin], start);
  const weight = asConvolution ? reshape(stored, [out, cin]) : stored;
  return linear(x, weight, bias ? p.get(`${name}.bias`, [out], start) : null);
}

/** torch.nn.GroupNorm; x [B, C, H, W]. Throws UserError('config') when C does not divide into the groups. */
export function groupNormLayer(p: ParameterSource, name: string, x: Tensor, groups: number, epsilon: number): Tensor {
  const [, channels] = x.shape;
  if (channels % groups !== 0) {
    throw new UserError(
      'config',
      `'${name}' normalises ${channels} channels, which do not divide into norm_num_groups ${groups}`,
      'Make every number of block_out_channels a multiple of norm_num_groups.',
    );
  }
  const weight = p.get(`${name}.weight`, [channels], { kind: 'ones' });
  return groupNorm(x, weight, p.get(`${name}.bias`, [channels], zeros), groups, epsilon);
}

/** Group normalisation, then SiLU: how every convolution of these networks is entered. */
export const normSilu = (p: ParameterSource, name: string, x: Tensor, groups: number, epsilon: number): Tensor =>
  silu(groupNormLayer(p, name, x, groups, epsilon));

/** torch.nn.LayerNorm over the last axis; x [N, C]. */
export function layerNormLayer(p: ParameterSource, name: string, x: Tensor, epsilon = 1e-5): Tensor {
  const channels = x.shape.at(-1)!;
  const weight = p.get(`${name}.weight`, [channels], { kind: 'ones' });
  return layerNorm(x, weight, p.get(`${name}.bias`, [channels], zeros), epsilon);
}

/** An image [B, C, H, W] as tokens [B * H * W, C]. */
export function toTokens(x: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape;
  const flat = reshape(x, [batch, channels, height * width]);
  return reshape(transpose(flat, [0, 2, 1]), [batch * height * width, channels]);
}

/** Tokens [B * H * W, C] as an image of the shape of `like`, which may have other channels. */
export function toImage(tokens: Tensor, like: Tensor): Tensor {
  const [batch, , height, width] = like.shape;
  const [, channels] = tokens.shape;
  const flat = transpose(reshape(tokens, [batch, height * width, channels]), [0, 2, 1]);
  return reshape(flat, [batch, channels, height, width]);
}
