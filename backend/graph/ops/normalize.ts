/**
 * Group normalisation in two parts: `normalizeGroups` (one op with its own gradient) makes each group of channels
 * zero-mean and unit-variance; the affine part is ordinary arithmetic on per-channel factors, so that an adaptive scale
 * and shift cost no extra pass over the image.
 */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { defineOp, sameAsFirst } from './define.ts';
import { add, mul } from './elementwise.ts';
import { reshape } from './layout.ts';

function inferNormalize([x]: readonly Shape[], attrs: Attributes): Shape[] {
  const groups = attrs.groups as number;
  if (x.length < 2 || x[1] % groups !== 0) throw new Error(`${x[1]} channels do not divide into ${groups} groups`);
  return [x, [x[0], groups]];
}

/** Outputs: normalised x, and 1/sqrt(variance + epsilon) per sample and group. */
export const normalizeGroupsOp = defineOp('normalizeGroups', inferNormalize);
/** Inputs: the two outputs above and d loss / d normalised x; output d loss / d x. */
export const normalizeGroupsGradOp = defineOp('normalizeGroupsGrad', sameAsFirst);

/** x [B, C, ...] -> same shape; biased variance over each group's channels and all positions. */
export function normalizeGroups(x: Tensor, groups: number, epsilon: number): Tensor {
  return x.graph.apply(normalizeGroupsOp, [x], { groups, epsilon })[0];
}

/** Per-channel factors ([C] or [B, C]) as they multiply an image of `rank` axes. */
function perChannel(factor: Tensor, rank: number): Tensor {
  const [batch, channels] = factor.shape.length === 1 ? [1, factor.shape[0]] : factor.shape;
  return reshape(factor, [batch, channels, ...Array(rank - 2).fill(1)]);
}

/** x * scale + shift with one factor per channel ([C]) or per sample and channel ([B, C]). */
export function channelAffine(x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  return add(mul(x, perChannel(scale, x.shape.length)), perChannel(shift, x.shape.length));
}

/** Group normalisation with learned weight [C] and bias [C], as torch.nn.GroupNorm. */
export function groupNorm(x: Tensor, weight: Tensor, bias: Tensor, groups: number, epsilon: number): Tensor {
  return channelAffine(normalizeGroups(x, groups, epsilon), weight, bias);
}
