/**
 * The generalized sampler of EDM's ablations: Euler or a second-order method on the ODE of any schedule and scaling, with
 * optional churn (Karras et al. 2022, Algorithms 1 and 3; NVlabs/edm generate.py, `ablation_sampler`).
 */
import {
  anySigma,
  callNetwork,
  churnGamma,
  churnNoise,
  type Denoise,
  type SamplerHooks,
  type SigmaRange,
} from './sampler.ts';
import { type AblationSamplerOptions, resolveAblationOptions, withinRange } from './sampler-options.ts';
import {
  linearSchedule,
  type NoiseSchedule,
  noScaling,
  type Scaling,
  veSchedule,
  vpBetas,
  vpScaling,
  vpSchedule,
} from './schedules.ts';
import { defaultSpan, sigmaSteps } from './time-steps.ts';

/** What the options amount to: the ODE, and the times t_0 > ... > t_N = 0 at which it is solved. */
export interface AblationPlan {
  schedule: NoiseSchedule;
  scaling: Scaling;
  times: number[];
}

export function ablationPlan(options: AblationSamplerOptions = {}, range: SigmaRange = anySigma): AblationPlan {
  const resolved = resolveAblationOptions(options);
  const { discretization, epsilon_s: epsilonS } = resolved;
  const published = defaultSpan(discretization, epsilonS);
  const span = withinRange(resolved.sigma_min ?? published.sigmaMin, resolved.sigma_max ?? published.sigmaMax, range);
  const { num_steps: numSteps, rho, C_1: C1, C_2: C2, M } = resolved;
  const levels = sigmaSteps(discretization, { ...span, numSteps, rho, epsilonS, C1, C2, M });

  const schedules = {
    vp: () => vpSchedule(vpBetas(span.sigmaMin, span.sigmaMax, epsilonS)),
    ve: () => veSchedule,
    linear: () => linearSchedule,
  };
  const schedule = schedules[resolved.schedule]();
  const scaling = resolved.scaling === 'vp' ? vpScaling(schedule) : noScaling;
  return { schedule, scaling, times: [...levels.map((sigma) => schedule.timeOf(range.roundSigma(sigma))), 0] };
}

/**
 * Turns unit-variance `latents` (flat, [B, C, H, W]) into images, in float64. `latents` is not written.
 * Throws a `UserError` for bad options, on cancellation, and where the network returns NaN or Inf.
 */
export async function ablationSampler(
  denoise: Denoise,
  latents: Float32Array,
  options: AblationSamplerOptions = {},
  hooks: SamplerHooks = {},
  range: SigmaRange = anySigma,
): Promise<Float64Array> {
  const resolved = resolveAblationOptions(options);
  const { num_steps: steps, S_noise, alpha, solver } = resolved;
  const { schedule, scaling, times } = ablationPlan(options, range);
  const { sigma, sigmaDerivative, timeOf } = schedule;
  const { scale, scaleDerivative } = scaling;
  const n = latents.length;

  /** dx/dt at time t (Eq. 4): linear in the state and in the denoised images. */
  const slopeAt = (t: number, x: Float64Array, denoised: Float32Array) => {
    const onState = sigmaDerivative(t) / sigma(t) + scaleDerivative(t) / scale(t);
    const onDenoised = (sigmaDerivative(t) * scale(t)) / sigma(t);
    return x.map((value, k) => onState * value - onDenoised * denoised[k]!);
  };
  /** The state without its scaling: what the network expects. */
  const unscaled = (x: Float64Array, t: number) => {
    const s = scale(t);
    return x.map((value) => value / s);
  };

  const start = sigma(times[0]!) * scale(times[0]!);
  let x = Float64Array.from(latents, (z) => z * start);

  for (let i = 0; i < steps; i++) {
    const [current, next] = [times[i]!, times[i + 1]!];

    // Churn: raise the noise level from t to t-hat by adding new noise, and rescale.
    const level = sigma(current);
    const hat = timeOf(range.roundSigma(level + churnGamma(level, resolved) * level));
    const noise = churnNoise(n, i, resolved, hooks.noise);
    const kept = scale(hat) / scale(current);
    const added = Math.sqrt(Math.max(sigma(hat) ** 2 - level ** 2, 0)) * scale(hat) * S_noise;
    x = x.map((value, k) => kept * value + (noise ? added * noise[k]! : 0));

    // Euler step, all the way to the next time or the share alpha of it.
    const input = unscaled(x, hat);
    const denoised = await callNetwork(denoise, input, sigma(hat), { i, steps, stage: 'predictor' }, hooks.signal);
    await hooks.onStep?.({ i, steps, x: input, sigma: sigma(hat), denoised });
    const h = next - hat;
    const slope = slopeAt(hat, x, denoised);
    if (solver === 'euler' || i === steps - 1) {
      x = x.map((value, k) => value + h * slope[k]!);
      continue;
    }

    // Second-order correction: the slope at hat + alpha h, weighted so that the quadratic error cancels.
    const prime = hat + alpha * h;
    const euler = x.map((value, k) => value + alpha * h * slope[k]!);
    const info = { i, steps, stage: 'corrector' } as const;
    const ahead = await callNetwork(denoise, unscaled(euler, prime), sigma(prime), info, hooks.signal);
    const slopeAhead = slopeAt(prime, euler, ahead);
    const weight = 1 / (2 * alpha);
    x = x.map((value, k) => value + h * ((1 - weight) * slope[k]! + weight * slopeAhead[k]!));
  }
  return x;
}
