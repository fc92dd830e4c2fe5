/** DDIM (Song et al. 2021, Eq. 12 and 16): deterministic with eta 0, up to DDPM's own noise with eta 1. */
import { cleanCoefficients, combine, noiseCoefficients, requireDefined } from './prediction.ts';
import type { Stepper } from './sampler.ts';
import type { VpSchedule } from './schedule.ts';
import type { SamplerConfig } from './scheduler-config.ts';
import { spacedTimesteps } from './spacing.ts';

export function ddimStepper(schedule: VpSchedule, config: SamplerConfig<'ddim'>, steps: number, eta: number): Stepper {
  const { alphasCumprod, timesteps: train } = schedule;
  const { prediction_type: type, clip_sample, clip_sample_range: range } = config;
  const stride = Math.floor(train / steps);
  const productAt = (t: number) => (t >= 0 ? alphasCumprod[t]! : config.set_alpha_to_one ? 1 : alphasCumprod[0]!);
  const timesteps = spacedTimesteps({ spacing: config.timestep_spacing, train, steps, offset: config.steps_offset });

  return {
    timesteps,
    initNoiseSigma: 1,
    inputScale: () => 1,
    step(i, x, prediction, normals) {
      const t = timesteps[i]!;
      const [product, next] = [productAt(t), productAt(t - stride)];
      const [alpha, sigma] = [Math.sqrt(product), Math.sqrt(1 - product)];
      requireDefined(type, alpha, t);
      const expected = ([ofState, ofPrediction]: readonly [number, number]) =>
        combine([
          [ofState, x],
          [ofPrediction, prediction],
        ]);
      const clean = expected(cleanCoefficients(type, alpha, sigma));
      const denoised = clip_sample ? clean.map((value) => Math.max(-range, Math.min(range, value))) : clean;
      const epsilon = expected(noiseCoefficients(type, alpha, sigma));

      const deviation = eta * Math.sqrt(((1 - next) / (1 - product)) * (1 - product / next));
      const terms: [number, Float32Array][] = [
        [Math.sqrt(next), denoised],
        [Math.sqrt(Math.max(1 - next - deviation ** 2, 0)), epsilon],
      ];
      if (eta > 0) terms.push([deviation, normals()]);
      return { x: combine(terms), denoised };
    },
  };
}
