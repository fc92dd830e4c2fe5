/**
 * Weights of the matching gradient for another divergence than the reverse KL (f-distill, Xu et al., arXiv 2502.15681): the gradient of
 * D_f(real || fake) is the difference of scores times h(r) = r^2 f''(r), where r = p_real/p_fake is exp(logit) of a discriminator of
 * noisy samples.
 */
import type { Tensor } from '../../graph/graph.ts';
import { add, detach, div, exp, maximum, mean, minimum, mul, sigmoid } from '../../graph/ops/index.ts';
import type { divergences } from './config.ts';

export type Divergence = (typeof divergences)[number];

/** Logits beyond this are taken for it: r stays between 1/150 and 150. */
const largest = 5;

/**
 * @param logits [B]
 * @returns h(r) over its mean of the batch, [B]; null where all are 1. No gradient flows through it.
 */
export function divergenceWeights(divergence: Divergence, logits: Tensor): Tensor | null {
  if (divergence === 'reverse-kl') return null;
  const weights = weightOf(divergence, minimum(maximum(detach(logits), -largest), largest));
  return div(weights, mean(weights));
}

function weightOf(divergence: Exclude<Divergence, 'reverse-kl'>, logits: Tensor): Tensor {
  switch (divergence) {
    case 'forward-kl':
      return exp(logits);
    case 'jensen-shannon':
      return sigmoid(logits);
    case 'hellinger':
      return exp(mul(logits, 0.5));
    case 'softened-reverse-kl':
      return sigmoid(mul(logits, -1));
    case 'jeffreys':
      return add(exp(logits), 1);
  }
}
