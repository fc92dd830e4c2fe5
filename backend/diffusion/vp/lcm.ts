/**
 * The sampler of latent consistency models (Luo et al. 2023): every call predicts the image, which is then noised again to the next
 * timestep.
 */
import { UserError } from '../../protocol/errors.ts';
import { cleanCoefficients, combine, requireDefined } from './prediction.ts';
import type { Stepper } from './sampler.ts';
import type { VpSchedule } from './schedule.ts';
import type { SamplerConfig } from './scheduler-config.ts';

/** Standard deviation of the data that the boundary condition assumes. */
const SIGMA_DATA = 0.5;

export function lcmStepper(schedule: VpSchedule, config: SamplerConfig<'lcm'>, steps: number): Stepper {
  const { prediction_type: type, clip_sample, clip_sample_range: range, timestep_scaling } = config;
  const timesteps = lcmTimesteps(schedule.timesteps, config.original_inference_steps, steps);
  return {
    timesteps,
    initNoiseSigma: 1,
    inputScale: () => 1,
    step(i, x, prediction, normals) {
      const t = timesteps[i]!;
      const alpha = schedule.alpha(t);
      requireDefined(type, alpha, t);
      const [ofState, ofPrediction] = cleanCoefficients(type, alpha, schedule.sigma(t));
      const clean = combine([
        [ofState, x],
        [ofPrediction, prediction],
      ]);
      const image = clip_sample ? clean.map((value) => Math.max(-range, Math.min(range, value))) : clean;
      // At t = 0 the model must be the identity, which these factors see to.
      const scaled = t * timestep_scaling;
      const denoised = combine([
        [scaled / Math.sqrt(scaled ** 2 + SIGMA_DATA ** 2), image],
        [SIGMA_DATA ** 2 / (scaled ** 2 + SIGMA_DATA ** 2), x],
      ]);
      if (i === timesteps.length - 1) return { x: denoised, denoised };
      const next = timesteps[i + 1]!;
      const noised = combine([
        [schedule.alpha(next), denoised],
        [schedule.sigma(next), normals()],
      ]);
      return { x: noised, denoised };
    },
  };
}

/** `steps` of the `original` timesteps that the model was distilled on. Throws UserError('config') where there are too few. */
function lcmTimesteps(train: number, original: number, steps: number): number[] {
  if (original > train || steps > original) {
    const message = `${steps} LCM steps of ${original} original ones do not fit a schedule of ${train} timesteps.`;
    throw new UserError('config', message, `Take at most ${Math.min(original, train)} steps.`);
  }
  const ratio = Math.floor(train / original);
  return Array.from({ length: steps }, (_, i) => (original - Math.floor((i * original) / steps)) * ratio - 1);
}
