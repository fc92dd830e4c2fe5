/**
 * From what a network predicts to what samplers and losses need: everything is a linear combination of x_t and the prediction,
 * with coefficients that depend on alpha_t and sigma_t (alpha^2 + sigma^2 = 1).
 *
 * Host arithmetic on flat arrays; the graph's form of the same is in dmd/latent/.
 */
import { UserError } from '../../protocol/errors.ts';
import type { VpSchedule } from './schedule.ts';
import type { PredictionType } from './scheduler-config.ts';

/** Factors of x_t and of the prediction. */
export type Coefficients = readonly [ofState: number, ofPrediction: number];

/** x_0 expected behind x_t. Infinite for `epsilon` where alpha is 0: pure noise tells nothing of the image. */
export function cleanCoefficients(type: PredictionType, alpha: number, sigma: number): Coefficients {
  switch (type) {
    case 'epsilon':
      return [1 / alpha, -sigma / alpha];
    case 'v_prediction':
      return [alpha, -sigma];
    case 'sample':
      return [0, 1];
  }
}

/** The noise expected in x_t. Infinite for `sample` where sigma is 0. */
export function noiseCoefficients(type: PredictionType, alpha: number, sigma: number): Coefficients {
  switch (type) {
    case 'epsilon':
      return [0, 1];
    case 'v_prediction':
      return [sigma, alpha];
    case 'sample':
      return [1 / sigma, -alpha / sigma];
  }
}

/** Refuses levels at which a prediction says nothing of the image, in words. */
export function requireDefined(type: PredictionType, alpha: number, timestep: number): void {
  if (type !== 'epsilon' || alpha > 0) return;
  throw new UserError(
    'config',
    `At timestep ${timestep} the noise schedule holds no image at all, and from predicted noise none can be had.`,
    'With rescale_betas_zero_snr the model must predict v_prediction or sample.',
  );
}

/** sum_j factor_j array_j, computed in float64, in float32. */
export function combine(terms: readonly (readonly [factor: number, array: Float32Array])[]): Float32Array {
  const result = new Float32Array(terms[0]![1].length);
  for (let k = 0; k < result.length; k++) {
    let sum = 0;
    for (const [factor, array] of terms) if (factor !== 0) sum += factor * array[k]!;
    result[k] = sum;
  }
  return result;
}

/** Images at timestep `t`: alpha_t clean + sigma_t noise, flat and of one size. */
export function addNoise(schedule: VpSchedule, clean: Float32Array, noise: Float32Array, t: number): Float32Array {
  return combine([
    [schedule.alpha(t), clean],
    [schedule.sigma(t), noise],
  ]);
}

/** What a perfect network would predict at timestep `t` for these images and this noise: the target of its training. */
export function predictionTarget(
  type: PredictionType,
  schedule: VpSchedule,
  clean: Float32Array,
  noise: Float32Array,
  t: number,
): Float32Array {
  if (type === 'epsilon') return noise.slice();
  if (type === 'sample') return clean.slice();
  return combine([
    [schedule.alpha(t), noise],
    [-schedule.sigma(t), clean],
  ]);
}
