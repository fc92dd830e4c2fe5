/**
 * UniPC (Zhao et al. 2023, arXiv 2302.04867) of order 1 or 2, in predicted images: each network call first corrects the step
 * that led to it, then predicts the next one.
 */
import { cleanCoefficients, combine } from './prediction.ts';
import type { Stepper } from './sampler.ts';
import type { VpSchedule } from './schedule.ts';
import type { SamplerConfig } from './scheduler-config.ts';
import { atLevel, type SigmaPlan, sigmaTable, solverPlan } from './sigmas.ts';
import { roundHalfToEven, solverTimesteps } from './spacing.ts';

export function unipcStepper(schedule: VpSchedule, config: SamplerConfig<'unipc'>, steps: number): Stepper {
  const { timesteps, sigmas } = unipcPlan(schedule, config, steps);
  const { prediction_type: type, solver_order, lower_order_final, disable_corrector } = config;
  const bh1 = config.solver_type === 'bh1';
  const calls = timesteps.length;
  const lambdaAt = (i: number) => atLevel(sigmas[i]!).lambda;

  /** The state that the last step began from, its order, and the predicted images of the calls before, newest first. */
  let begun = new Float32Array();
  let stepOrder = 1;
  let past: Float32Array[] = [];

  /** What both halves share: the step from level i to i + 1, on the exponential integrator's terms. */
  const termsOf = (i: number) => {
    const [from, to] = [atLevel(sigmas[i]!), atLevel(sigmas[i + 1]!)];
    const h = to.lambda - from.lambda;
    const exponential = Math.expm1(-h); // h phi_1
    const factor = bh1 ? -h : exponential; // B(h)
    const ratio = i > 0 ? (lambdaAt(i - 1) - from.lambda) / h : 0;
    const start = (x: Float32Array, images: Float32Array): [number, Float32Array][] => [
      [to.sigma / from.sigma, x],
      [-to.alpha * exponential, images],
    ];
    return { h, factor, ratio, weight: -to.alpha * factor, start };
  };

  const correct = (i: number, denoised: Float32Array) => {
    const { h, factor, ratio, weight, start } = termsOf(i);
    const [latest, before] = past;
    const [ofBefore, ofThis] = stepOrder === 1 ? [0, 0.5] : correctorWeights(h, factor, ratio);
    const terms = start(begun, latest!);
    terms.push([weight * ofThis, denoised], [-weight * ofThis, latest!]);
    if (stepOrder === 2) terms.push([(weight * ofBefore) / ratio, before!], [(-weight * ofBefore) / ratio, latest!]);
    return combine(terms);
  };

  const predictNext = (i: number, x: Float32Array) => {
    const { ratio, weight, start } = termsOf(i);
    const [latest, before] = past;
    const terms = start(x, latest!);
    if (stepOrder === 2) terms.push([(weight * 0.5) / ratio, before!], [(-weight * 0.5) / ratio, latest!]);
    return combine(terms);
  };

  return {
    timesteps,
    initNoiseSigma: 1,
    inputScale: () => 1,
    step(i, x, prediction) {
      const { alpha, sigma } = atLevel(sigmas[i]!);
      const [ofState, ofPrediction] = cleanCoefficients(type, alpha, sigma);
      const denoised = combine([
        [ofState, x],
        [ofPrediction, prediction],
      ]);
      const corrected = i > 0 && !disable_corrector.includes(i - 1) ? correct(i - 1, denoised) : x;
      past = [denoised, ...past].slice(0, 2);
      stepOrder = Math.min(solver_order, i + 1, lower_order_final ? calls - i : Number.POSITIVE_INFINITY);
      begun = corrected.slice();
      return { x: predictNext(i, corrected), denoised };
    },
  };
}

/** The corrector's weights of order 2 (Eq. 9 of the paper): the solution of its 2x2 system with nodes `ratio` and 1. */
function correctorWeights(h: number, factor: number, ratio: number): [ofBefore: number, ofThis: number] {
  const first = Math.expm1(-h) / -h - 1;
  const second = first / -h - 0.5;
  const [b1, b2] = [first / factor, (2 * second) / factor];
  const ofThis = (b2 - ratio * b1) / (1 - ratio);
  return [b1 - ofThis, ofThis];
}

function unipcPlan(schedule: VpSchedule, config: SamplerConfig<'unipc'>, steps: number): SigmaPlan {
  const table = sigmaTable(schedule, config.rescale_betas_zero_snr);
  const { timestep_spacing: spacing, steps_offset: offset, sigma_min: sigmaMin, sigma_max: sigmaMax } = config;
  const spaced = solverTimesteps({ spacing, train: schedule.timesteps, steps, offset });
  const karras = config.use_karras_sigmas ?? false;
  return solverPlan(table, spaced, {
    karras,
    final: config.final_sigmas_type,
    leastLevel: karras ? (sigmaMin ?? table[0]!) : table[0]!,
    sigmaMin,
    sigmaMax,
    told: roundHalfToEven,
  });
}
