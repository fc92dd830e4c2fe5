/**
 * Distribution matching in a latent space, as graph functions: noise levels of a VP schedule (x_t = alpha x + sigma eps,
 * alpha^2 + sigma^2 = 1), and the denoised image read off what the network predicts. The host's form of the same is
 * diffusion/vp/prediction.ts.
 */
import type { PredictionType } from '../diffusion/vp/index.ts';
import type { Tensor } from '../graph/graph.ts';
import { add, div, mul, reshape, sub } from '../graph/ops/index.ts';
import { perSample } from './denoiser.ts';

/** Noise levels of a batch, each [B]. */
export interface Level {
  /** Whole timesteps, which the network is told. */
  readonly timestep: Tensor;
  readonly alpha: Tensor;
  readonly sigma: Tensor;
}

/** Per-sample factors [B] in the shape that multiplies images [B, ...]. */
const over = (factor: Tensor, image: Tensor) => reshape(factor, perSample(factor.shape, image.shape.length));

/** x_t = alpha x + sigma noise. */
export function noised(x: Tensor, noise: Tensor, { alpha, sigma }: Pick<Level, 'alpha' | 'sigma'>): Tensor {
  return add(mul(x, over(alpha, x)), mul(noise, over(sigma, x)));
}

/**
 * The clean image behind x_t: (x_t - sigma eps)/alpha, or alpha x_t - sigma v. At Stable Diffusion's last timestep 1/alpha is
 * 14.65, so this is float32 everywhere and never less.
 */
export function x0FromPrediction(
  type: PredictionType,
  xt: Tensor,
  prediction: Tensor,
  { alpha, sigma }: Pick<Level, 'alpha' | 'sigma'>,
): Tensor {
  const noise = mul(prediction, over(sigma, xt));
  switch (type) {
    case 'epsilon':
      return div(sub(xt, noise), over(alpha, xt));
    case 'v_prediction':
      return sub(mul(xt, over(alpha, xt)), noise);
    case 'sample':
      return prediction;
  }
}

/** What a perfect network would predict of x_t = alpha x + sigma noise: the noise, v = alpha noise - sigma x, or x. */
export function predictionTarget(
  type: PredictionType,
  x: Tensor,
  noise: Tensor,
  { alpha, sigma }: Pick<Level, 'alpha' | 'sigma'>,
): Tensor {
  switch (type) {
    case 'epsilon':
      return noise;
    case 'v_prediction':
      return sub(mul(noise, over(alpha, x)), mul(x, over(sigma, x)));
    case 'sample':
      return x;
  }
}

/** Classifier-free guidance of two predictions: unconditional + scale (conditional - unconditional). */
export function guided(unconditional: Tensor, conditional: Tensor, scale: number): Tensor {
  return add(unconditional, mul(sub(conditional, unconditional), scale));
}
