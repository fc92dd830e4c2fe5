/** What samplers read off a network's prediction at a timestep: linear combinations of x_t and the prediction, on flat arrays. */
import { UserError } from '../../protocol/errors.ts';
import { cleanFrom, noiseFrom, onNumbers, targetOf } from '../prediction.ts';
import type { VpSchedule } from './schedule.ts';
import type { PredictionType } from './scheduler-config.ts';

/** Factors of x_t and of the prediction. */
export type Coefficients = readonly [ofState: number, ofPrediction: number];

const coefficientsOf =
  (formula: typeof cleanFrom<number>) =>
  (type: PredictionType, alpha: number, sigma: number): Coefficients => [
    formula(onNumbers, type, 1, 0, alpha, sigma),
    formula(onNumbers, type, 0, 1, alpha, sigma),
  ];

/** x_0 expected behind x_t. Infinite for `epsilon` where alpha is 0: pure noise tells nothing of the image. */
export const cleanCoefficients = coefficientsOf(cleanFrom);

/** The noise expected in x_t. Infinite for `sample` where sigma is 0. */
export const noiseCoefficients = coefficientsOf(noiseFrom);

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
  const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
  return combine([
    [targetOf(onNumbers, type, 1, 0, alpha, sigma), clean],
    [targetOf(onNumbers, type, 0, 1, alpha, sigma), noise],
  ]);
}
