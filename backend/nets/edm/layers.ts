/**
 * The layers EDM's networks are made of, as functions that fetch their parameters by name. Convolutions come in two
 * halves, parameters and application, because blocks fold biases and scales before they convolve.
 */
import type { Tensor } from '../../graph/graph.ts';
import { groupNorm, linear } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';
import { UserError } from '../../protocol/errors.ts';
import { initialBias, initialWeight, type LayerInit } from './initialization.ts';

/** The same parameters, with names relative to `prefix`. */
export function scoped(source: ParameterSource, prefix: string): ParameterSource {
  return { graph: source.graph, get: (name, shape, init, role) => source.get(`${prefix}.${name}`, shape, init, role) };
}

export interface WeightAndBias {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** Parameters of a square convolution: weight [cout, cin, kernel, kernel], bias [cout]. */
export function convParameters(
  p: ParameterSource,
  name: string,
  cin: number,
  cout: number,
  kernel: number,
  init: LayerInit,
): WeightAndBias {
  const fans = { fanIn: cin * kernel * kernel, fanOut: cout * kernel * kernel };
  return {
    weight: p.get(`${name}.weight`, [cout, cin, kernel, kernel], initialWeight(init, fans)),
    bias: p.get(`${name}.bias`, [cout], initialBias(init, fans)),
  };
}

/** x [B, in] -> [B, out] with parameters `name`.weight [out, in] and, unless `bias` is false, `name`.bias [out]. */
export function linearLayer(
  p: ParameterSource,
  name: string,
  x: Tensor,
  out: number,
  init: LayerInit,
  { bias = true } = {},
): Tensor {
  const fans = { fanIn: x.shape[1], fanOut: out };
  const weight = p.get(`${name}.weight`, [out, fans.fanIn], initialWeight(init, fans));
  return linear(x, weight, bias ? p.get(`${name}.bias`, [out], initialBias(init, fans)) : null);
}

/** Weight [out, size] of the augmentation labels. Fixed: training here uses none, and EDM leaves it alone then. */
export function augmentWeight(p: ParameterSource, size: number, out: number, init: LayerInit): Tensor {
  return p.get('map_augment.weight', [out, size], initialWeight(init, { fanIn: size, fanOut: out }), 'fixed');
}

/** EDM's rule: groups of at least four channels, at most 32 groups. */
export function groupCount(channels: number, name: string): number {
  const groups = Math.min(32, Math.floor(channels / 4));
  if (groups === 0 || channels % groups !== 0) {
    throw new UserError(
      'config',
      `'${name}' normalises ${channels} channels, which do not divide into ${groups} groups`,
      'Choose model_channels and channel_mult so that every channel count is a multiple of 32, or of 4 below 128.',
    );
  }
  return groups;
}

/** Scale and shift of a group normalisation, [channels] each. */
export function normParameters(p: ParameterSource, name: string, channels: number): WeightAndBias {
  return {
    weight: p.get(`${name}.weight`, [channels], { kind: 'ones' }),
    bias: p.get(`${name}.bias`, [channels], { kind: 'zeros' }),
  };
}

/** torch.nn.GroupNorm with EDM's number of groups; x [B, C, H, W]. */
export function groupNormLayer(p: ParameterSource, name: string, x: Tensor, epsilon: number): Tensor {
  const channels = x.shape[1];
  const { weight, bias } = normParameters(p, name, channels);
  return groupNorm(x, weight, bias, groupCount(channels, name), epsilon);
}
