/** DPM-Solver++ (Lu et al. 2022, arXiv 2211.01095): the multistep solver 2M of the ODE, in predicted images. */
import { cleanCoefficients, combine } from './prediction.ts';
import type { Stepper } from './sampler.ts';
import type { VpSchedule } from './schedule.ts';
import type { SamplerConfig } from './scheduler-config.ts';
import { atLevel, type SigmaPlan, sigmaTable, solverPlan } from './sigmas.ts';
import { roundHalfToEven, solverTimesteps } from './spacing.ts';

/** Below so many calls the last one is of first order, where `lower_order_final` asks for stability. */
const FEW_STEPS = 15;

export function dpmStepper(schedule: VpSchedule, config: SamplerConfig<'dpm'>, steps: number): Stepper {
  const { timesteps, sigmas } = dpmPlan(schedule, config, steps);
  const { solver_order, lower_order_final, euler_at_final, final_sigmas_type } = config;
  const calls = timesteps.length;
  const simpleEnd = euler_at_final || final_sigmas_type === 'zero' || (lower_order_final && calls < FEW_STEPS);
  let previous: Float32Array | null = null;

  return {
    timesteps,
    initNoiseSigma: 1,
    inputScale: () => 1,
    step(i, x, prediction) {
      const [from, to] = [atLevel(sigmas[i]!), atLevel(sigmas[i + 1]!)];
      const [ofState, ofPrediction] = cleanCoefficients(config.prediction_type, from.alpha, from.sigma);
      const denoised = combine([
        [ofState, x],
        [ofPrediction, prediction],
      ]);
      const h = to.lambda - from.lambda;
      const first = -to.alpha * Math.expm1(-h);
      const terms: [number, Float32Array][] = [
        [to.sigma / from.sigma, x],
        [first, denoised],
      ];
      if (solver_order === 2 && previous && !(i === calls - 1 && simpleEnd)) {
        const ratio = (from.lambda - atLevel(sigmas[i - 1]!).lambda) / h;
        const second = config.solver_type === 'heun' ? to.alpha * (Math.expm1(-h) / h + 1) : 0.5 * first;
        terms.push([second / ratio, denoised], [-second / ratio, previous]);
      }
      previous = denoised;
      return { x: combine(terms), denoised };
    },
  };
}

function dpmPlan(schedule: VpSchedule, config: SamplerConfig<'dpm'>, steps: number): SigmaPlan {
  const table = sigmaTable(schedule, config.rescale_betas_zero_snr);
  const least = typeof config.lambda_min_clipped === 'number' ? config.lambda_min_clipped : Number.NEGATIVE_INFINITY;
  const last = table.filter((level) => atLevel(level).lambda >= least).length;
  const { timestep_spacing: spacing, steps_offset: offset } = config;
  const spaced = solverTimesteps({ spacing, train: schedule.timesteps, steps, offset }, last);
  return solverPlan(table, spaced, {
    karras: config.use_karras_sigmas ?? false,
    final: config.final_sigmas_type,
    leastLevel: table[0]!,
    // diffusers rounds except for the cosine schedule, whose fractions it then cuts off.
    told: config.beta_schedule === 'squaredcos_cap_v2' ? Math.floor : roundHalfToEven,
  });
}
