/**
 * PNDM (Liu et al. 2022): a linear multistep method on the predictions (Eq. 9 and 12), begun in one of two ways. With `skip_prk_steps`,
 * as Stable Diffusion uses it, the first step is made twice, the second time with the mean of both ends' predictions: N steps are
 * N + 1 network calls. Without it the first three steps are Runge-Kutta's (Eq. 13), of four calls each: N + 9 calls.
 */
import { UserError } from '../../protocol/errors.ts';
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
  const half = Math.floor(stride / 2);
  const timesteps = config.skip_prk_steps ? begunTwice(spaced) : begunByRungeKutta(spaced, half);

  /** Newest first, of the calls that stand at the beginning of a step. */
  let kept: Float32Array[] = [];
  /** The state at the beginning of the step, while several calls make one, and their weighted sum. */
  let beginning: Float32Array = new Float32Array();
  let sum: Float32Array = new Float32Array();

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

  const keep = (prediction: Float32Array) => {
    kept = [prediction, ...kept].slice(0, 4);
  };

  /** The second call of a first step that is made twice. */
  const repeat = (prediction: Float32Array, t: number) => {
    const mean = combine([
      [0.5, prediction],
      [0.5, kept[0]!],
    ]);
    return transfer(beginning, mean, t + stride, t);
  };

  /** Call `i` of 12: two half steps, a whole one, and then that again with the weighted mean of all four. */
  const rungeKutta = (i: number, x: Float32Array, prediction: Float32Array) => {
    const call = i % 4;
    if (call === 0) {
      beginning = x.slice();
      sum = new Float32Array(x.length);
      keep(prediction);
    }
    sum = combine([
      [1, sum],
      [rungeKuttaWeights[call]!, prediction],
    ]);
    const to = call % 2 === 0 ? timesteps[i]! - half : timesteps[i]!;
    return transfer(beginning, call === 3 ? sum : prediction, timesteps[i - call]!, to);
  };

  const multistep = (i: number, x: Float32Array, prediction: Float32Array) => {
    if (i === 0) beginning = x.slice();
    keep(prediction);
    const weights = adamsBashforth[kept.length - 1]!;
    const slope = combine(kept.map((past, k) => [weights[k]!, past] as const));
    return transfer(x, slope, timesteps[i]!, timesteps[i]! - stride);
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
      if (!config.skip_prk_steps && i < RUNGE_KUTTA_CALLS) return { x: rungeKutta(i, x, prediction), denoised };
      if (config.skip_prk_steps && i === 1) return { x: repeat(prediction, t), denoised };
      return { x: multistep(i, x, prediction), denoised };
    },
  };
}

const rungeKuttaWeights = [1 / 6, 1 / 3, 1 / 3, 1 / 6] as const;
const RUNGE_KUTTA_CALLS = 12;

/** The second timestep twice: once as the end of the first step, once as the beginning of the second. */
function begunTwice(spaced: readonly number[]): number[] {
  return spaced.length < 2 ? [...spaced] : [spaced[0]!, spaced[1]!, ...spaced.slice(1)];
}

/** Three steps of four calls: at the beginning, twice in the middle, at the end. Throws UserError('config') for fewer steps. */
function begunByRungeKutta(spaced: readonly number[], half: number): number[] {
  if (spaced.length < 4) {
    const message = `PNDM with Runge-Kutta steps (skip_prk_steps false) needs at least 4 steps; ${spaced.length} are asked for.`;
    throw new UserError('config', message, 'Take more steps, or another sampler.');
  }
  const begin = [0, 1, 2].flatMap((k) => {
    const end = spaced[k + 1]!;
    return [spaced[k]!, end + half, end + half, end];
  });
  return [...begin, ...spaced.slice(3)];
}
