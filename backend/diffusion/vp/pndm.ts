/**
 * PNDM without its Runge-Kutta warm-up (Liu et al. 2022, Eq. 9 and 12; `skip_prk_steps`, as Stable Diffusion uses it): a linear
 * multistep method on the predictions. The first step is made twice, the second time with the mean of both ends' predictions,
 * so that N steps are N + 1 network calls.
 */
import { cleanCoefficients, combine, noiseCoefficients } from './prediction.ts';
import type { Stepper } from './sampler.ts';
import type { VpSchedule } from './schedule.ts';
import type { SamplerConfig } from './scheduler-config.ts';
import { spacedTimesteps } from './spacing.ts';

/** Adams-Bashforth weights of the latest predictions, newest first. */
const adamsBashforth = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const;

export function pndmStepper(schedule: VpSchedule, config: SamplerConfig<'pndm'>, steps: number): Stepper {
  const { alphasCumprod, timesteps: train } = schedule;
  const { prediction_type: type } = config;
  const stride = Math.floor(train / steps);
  const productAt = (t: number) => (t >= 0 ? alphasCumprod[t]! : config.set_alpha_to_one ? 1 : alphasCumprod[0]!);
  const spaced = spacedTimesteps({ spacing: config.timestep_spacing, train, steps, offset: config.steps_offset });
  const timesteps = spaced.length < 2 ? spaced : [spaced[0]!, spaced[1]!, ...spaced.slice(1)];

  /** Newest first. The second call's prediction is not kept: it only improves the first step. */
  let kept: Float32Array[] = [];
  let beginning = new Float32Array();

  /** From timestep t to s by the transfer part of the method (Eq. 9). */
  const transfer = (x: Float32Array, prediction: Float32Array, t: number, s: number) => {
    const [product, next] = [productAt(t), productAt(s)];
    const [alpha, sigma] = [Math.sqrt(product), Math.sqrt(1 - product)];
    const [ofState, ofPrediction] = noiseCoefficients(type, alpha, sigma);
    const denominator = product * Math.sqrt(1 - next) + Math.sqrt(product * (1 - product) * next);
    const factor = (next - product) / denominator;
    return combine([
      [Math.sqrt(next / product) - factor * ofState, x],
      [-factor * ofPrediction, prediction],
    ]);
  };

  return {
    timesteps,
    initNoiseSigma: 1,
    inputScale: () => 1,
    step(i, x, prediction) {
      const t = timesteps[i]!;
      const [ofState, ofPrediction] = cleanCoefficients(type, schedule.alpha(t), schedule.sigma(t));
      const denoised = combine([
        [ofState, x],
        [ofPrediction, prediction],
      ]);
      if (i === 1) {
        const mean = combine([
          [0.5, prediction],
          [0.5, kept[0]!],
        ]);
        return { x: transfer(beginning, mean, t + stride, t), denoised };
      }
      if (i === 0) beginning = x.slice();
      kept = [prediction, ...kept].slice(0, 4);
      const weights = adamsBashforth[kept.length - 1]!;
      const slope = combine(kept.map((past, k) => [weights[k]!, past] as const));
      return { x: transfer(x, slope, t, t - stride), denoised };
    },
  };
}
