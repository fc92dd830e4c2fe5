/**
 * Group normalisation with its per-channel scale and shift as one op: the gradient then needs only two sums per channel,
 * from which those of scale, shift and group follow (docs/performance.md). Scale and shift may differ per sample, so that
 * an adaptive normalisation costs no extra pass over the image.
 */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { apply1, defineOp, sameAsFirst } from './define.ts';
import { add, mul } from './elementwise.ts';
import { reshape } from './layout.ts';

function inferGroupNorm([x, scale, shift]: readonly Shape[], attrs: Attributes): Shape[] {
  const groups = attrs.groups as number;
  if (x.length < 2 || x[1] % groups !== 0) throw new Error(`${x[1]} channels do not divide into ${groups} groups`);
  const fits = (factor: Shape) => [`${x[1]}`, `${x[0]},${x[1]}`].includes(factor.join());
  if (!fits(scale) || scale.join() !== shift.join()) throw new Error('scale and shift need one number per channel');
  return [x, x, [x[0], groups]];
}

/**
 * Inputs: x [B, C, ...], scale and shift ([C] or [B, C]). Outputs: the result; x less its group's mean; and
 * 1/sqrt(variance + epsilon) [B, groups]. Biased variance over each group's channels and all positions.
 */
export const groupNormOp = defineOp('groupNorm', inferGroupNorm);
/**
 * Inputs: the centred x and the inverse deviation from above, scale, and d loss / d result. Outputs: the gradients of x,
 * scale and shift.
 */
export const groupNormGradOp = defineOp('groupNormGrad', ([x, , scale]) => [x, scale, scale]);

/** Group normalisation of x [B, C, ...] with weight and bias [C], as torch.nn.GroupNorm, or [B, C]. */
export function groupNorm(x: Tensor, weight: Tensor, bias: Tensor, groups: number, epsilon: number): Tensor {
  return x.graph.apply(groupNormOp, [x, weight, bias], { groups, epsilon })[0];
}

/**
 * Inputs: the centred x and the inverse deviation from above, scale and shift. Output: the result again, by the same products and sums as
 * the operation's own, so the same bits.
 */
export const groupNormAgainOp = defineOp('groupNormAgain', sameAsFirst);

export function normalizedAgain(centred: Tensor, inverseStd: Tensor, scale: Tensor, shift: Tensor): Tensor {
  return apply1(groupNormAgainOp, [centred, inverseStd, scale, shift], { groups: inverseStd.shape[1]! });
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
