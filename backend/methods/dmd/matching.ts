/**
 * The distribution matching gradient (Yin et al., arXiv 2311.18828, Eq. 7), written in denoised images: with
 * s = -(x_t - alpha mu)/sigma^2, w alpha (s_fake - s_real) = w alpha^2/sigma^2 (mu_fake - mu_real).
 */
import type { Tensor } from '../../graph/graph.ts';
import { abs, div, mean, mul, sub } from '../../graph/ops/index.ts';
import { over } from '../../models/diffusion-model.ts';
import type { matchingWeights } from '../../protocol/config/index.ts';

/**
 * The weight w_t of Eq. 7. `eq8`: sigma^2/alpha * CS/|mu_real - x|_1 without Eq. 7's own factor alpha, as in Algorithm 2
 * and the authors' code; `eq8-alpha` with it; `sigma^2/alpha` is Diff-Instruct's; the others are the alternatives of Table 2.
 */
export type MatchingWeight = (typeof matchingWeights)[number];

export interface MatchingInputs {
  /** Generated images [B, ...]. */
  readonly x: Tensor;
  readonly muReal: Tensor;
  readonly muFake: Tensor;
  /** [B]; all ones for EDM. Null means ones. */
  readonly alpha: Tensor | null;
  /** [B] */
  readonly sigma: Tensor;
  readonly weight: MatchingWeight;
}

/** d loss / d x before the division by batch and size, [B, ...]; the update moves x along its negative. */
export function matchingGradient({ x, muReal, muFake, alpha, sigma, weight }: MatchingInputs): Tensor {
  const difference = sub(muFake, muReal);
  const image = (factor: Tensor) => over(factor, x);
  const timesAlpha = (value: Tensor) => (alpha ? mul(value, image(alpha)) : value);
  switch (weight) {
    case 'eq8':
      return div(difference, meanDistance(x, muReal));
    case 'eq8-alpha':
      return timesAlpha(div(difference, meanDistance(x, muReal)));
    case 'sigma/alpha':
      return timesAlpha(div(difference, image(sigma)));
    case 'sigma^3/alpha':
      return timesAlpha(mul(difference, image(sigma)));
    case 'sigma^2/alpha':
      return timesAlpha(difference);
  }
}

/**
 * The factor of mu_fake - mu_real in that gradient, in numbers.
 * @param level alpha 1 for EDM; `distance`: mean |x - mu_real| of the sample
 */
export function matchingFactor(
  weight: MatchingWeight,
  { alpha, sigma, distance }: { readonly alpha: number; readonly sigma: number; readonly distance: number },
): number {
  switch (weight) {
    case 'eq8':
      return 1 / distance;
    case 'eq8-alpha':
      return alpha / distance;
    case 'sigma/alpha':
      return alpha / sigma;
    case 'sigma^3/alpha':
      return alpha * sigma;
    case 'sigma^2/alpha':
      return alpha;
  }
}

/** mean |x - mu| over each sample's numbers, [B, 1, ...]: |mu - x|_1 / (C S) of Eq. 8. */
export function meanDistance(x: Tensor, mu: Tensor): Tensor {
  return mean(abs(sub(x, mu)), { axes: x.shape.map((_, i) => i).slice(1), keepDims: true });
}
