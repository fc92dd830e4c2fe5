/**
 * Euler's method on the ODE in sigma/alpha (Karras et al. 2022, Algorithm 1 without its correction). The state is x_t / alpha_t,
 * so that it begins at the first level's size; the network sees x_t.
 */
import { cleanCoefficients, combine } from './prediction.ts';
import type { Stepper } from './sampler.ts';
import type { VpSchedule } from './schedule.ts';
import type { SamplerConfig } from './scheduler-config.ts';
import { atLevel, karrasLevels, type SigmaPlan, sigmaAt, sigmaTable, timestepOf } from './sigmas.ts';
import { spacedTimesteps } from './spacing.ts';

export function eulerStepper(schedule: VpSchedule, config: SamplerConfig<'euler'>, steps: number): Stepper {
  const { timesteps, sigmas } = eulerPlan(schedule, config, steps);
  const largest = sigmas[0]!;
  return {
    timesteps,
    // Leading timesteps begin below the last one, where the image still shows: the noise adds to it.
    initNoiseSigma: config.timestep_spacing === 'leading' ? Math.sqrt(largest ** 2 + 1) : largest,
    inputScale: (i) => atLevel(sigmas[i]!).alpha,
    step(i, x, prediction) {
      const [level, next] = [sigmas[i]!, sigmas[i + 1]!];
      const { alpha, sigma } = atLevel(level);
      const [ofInput, ofPrediction] = cleanCoefficients(config.prediction_type, alpha, sigma);
      const denoised = combine([
        [ofInput * alpha, x],
        [ofPrediction, prediction],
      ]);
      const kept = next / level;
      const moved = combine([
        [kept, x],
        [1 - kept, denoised],
      ]);
      return { x: moved, denoised };
    },
  };
}

function eulerPlan(schedule: VpSchedule, config: SamplerConfig<'euler'>, steps: number): SigmaPlan {
  const table = sigmaTable(schedule, config.rescale_betas_zero_snr);
  const train = schedule.timesteps;
  const options = { spacing: config.timestep_spacing, train, steps, offset: config.steps_offset };
  const spaced = spacedTimesteps(options, false);
  const last = config.final_sigmas_type === 'zero' ? 0 : table[0]!;
  const levels = spaced.map((t) => sigmaAt(table, t));
  if (!config.use_karras_sigmas) return { timesteps: spaced, sigmas: Float32Array.of(...levels, last) };
  const karras = karrasLevels(config.sigma_max ?? levels[0]!, config.sigma_min ?? levels.at(-1)!, steps);
  return {
    timesteps: karras.map((level) => Math.fround(timestepOf(table, level))),
    sigmas: Float32Array.of(...karras, last),
  };
}
