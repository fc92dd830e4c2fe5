/** Layer normalisation (Ba et al. 2016, arXiv 1607.06450) over the last axis, as torch.nn.LayerNorm, with its own gradient. */
import type { Shape, Tensor } from '../graph.ts';
import { defineOp } from './define.ts';

function infer([x, scale, shift]: readonly Shape[]): Shape[] {
  if (x.length < 2) throw new Error('layer normalisation needs at least two axes');
  const wanted = `${x.at(-1)}`;
  if (scale.join() !== wanted || shift.join() !== wanted)
    throw new Error('scale and shift need one number per channel');
  const row = [...x.slice(0, -1), 1];
  return [x, row, row];
}

/**
 * Inputs: x [..., C], scale [C], shift [C]. Outputs: the result; the means [..., 1]; and 1/sqrt(variance + epsilon)
 * [..., 1], the variance biased.
 */
export const layerNormOp = defineOp('layerNorm', infer);
/** Inputs: x, mean and inverse deviation from above, scale, d loss / d result. Outputs: gradients of x, scale and shift. */
export const layerNormGradOp = defineOp('layerNormGrad', ([x, , , scale]) => [x, scale, scale]);

/** x [..., C] with weight and bias [C]. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  return x.graph.apply(layerNormOp, [x, weight, bias], { epsilon })[0];
}
