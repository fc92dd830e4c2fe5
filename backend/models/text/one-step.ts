/** The clean image read off a generator's single prediction, computed in float64 from float32. */
import { cleanCoefficients, combine, type VpSchedule } from '../../diffusion/vp/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { OneStep } from './dmd-info.ts';

/**
 * For epsilon (z - sigma eps) / alpha, for v_prediction alpha z - sigma v, for InstaFlow's velocity z + v.
 * @param z noise that the network saw
 * @throws UserError('weights') for a timestep that the schedule does not have, 'numeric' for NaN and infinity
 */
export function imageOfPrediction(
  { timestep, prediction: type }: OneStep,
  schedule: VpSchedule,
  z: Float32Array,
  prediction: Float32Array,
): Float32Array {
  const [ofNoise, ofPrediction] = coefficients(type, timestep, schedule);
  const image = combine([
    [ofNoise, z],
    [ofPrediction, prediction],
  ]);
  if (image.every(Number.isFinite)) return image;
  throw new UserError(
    'numeric',
    `The generator returned NaN or Inf at timestep ${timestep}.`,
    'Check its weights, and timestep and prediction in dmd.json.',
  );
}

function coefficients(type: OneStep['prediction'], timestep: number, schedule: VpSchedule): readonly [number, number] {
  if (type === 'velocity') return [1, 1];
  if (!Number.isInteger(timestep) || timestep >= schedule.timesteps) {
    const message = `dmd.json: the generator's timestep is ${timestep}, but the schedule has ${schedule.timesteps}`;
    throw new UserError('weights', message, `Timesteps are whole numbers, 0 to ${schedule.timesteps - 1}.`);
  }
  return cleanCoefficients(type, schedule.alpha(timestep), schedule.sigma(timestep));
}
