/**
 * EDM's sampler: Heun's method on the probability-flow ODE, with optional churn (Karras et al. 2022, Algorithm 2;
 * NVlabs/edm generate.py, `edm_sampler`).
 */
import { karrasSteps } from './karras.ts';
import {
  anySigma,
  callNetwork,
  churnGamma,
  churnNoise,
  type Denoise,
  type SamplerHooks,
  type SigmaRange,
} from './sampler.ts';
import { type EdmSamplerOptions, resolveEdmOptions, withinRange } from './sampler-options.ts';

/** The noise levels t_0 > ... > t_N = 0 that the sampler steps through, N = num_steps. */
export function edmTimeSteps(options: EdmSamplerOptions = {}, range: SigmaRange = anySigma): number[] {
  const { num_steps, sigma_min, sigma_max, rho } = resolveEdmOptions(options);
  const span = withinRange(sigma_min, sigma_max, range);
  return [...karrasSteps(num_steps, { ...span, rho }).map(range.roundSigma), 0];
}

/**
 * Turns unit-variance `latents` (flat, [B, C, H, W]) into images, in float64. `latents` is not written.
 * Throws a `UserError` for bad options, on cancellation, and where the network returns NaN or Inf.
 */
export async function edmSampler(
  denoise: Denoise,
  latents: Float32Array,
  options: EdmSamplerOptions = {},
  hooks: SamplerHooks = {},
  range: SigmaRange = anySigma,
): Promise<Float64Array> {
  const resolved = resolveEdmOptions(options);
  const { num_steps: steps, S_noise } = resolved;
  const times = edmTimeSteps(options, range);
  const n = latents.length;
  let x = Float64Array.from(latents, (z) => z * times[0]!);

  for (let i = 0; i < steps; i++) {
    const [current, next] = [times[i]!, times[i + 1]!];

    // Churn: raise the noise level from t to t-hat by adding new noise.
    const hat = range.roundSigma(current + churnGamma(current, resolved) * current);
    const noise = churnNoise(n, i, resolved, hooks.noise);
    if (noise) {
      const added = Math.sqrt(Math.max(hat ** 2 - current ** 2, 0)) * S_noise;
      x = x.map((value, k) => value + added * noise[k]!);
    }

    // Euler step from t-hat to the next level.
    const denoised = await callNetwork(denoise, x, hat, { i, steps, stage: 'predictor' }, hooks.signal);
    await hooks.onStep?.({ i, steps, x, sigma: hat, denoised });
    const slope = x.map((value, k) => (value - denoised[k]!) / hat);
    const euler = x.map((value, k) => value + (next - hat) * slope[k]!);
    if (i === steps - 1) return euler;

    // Second-order correction: the mean of the slopes at both ends.
    const ahead = await callNetwork(denoise, euler, next, { i, steps, stage: 'corrector' }, hooks.signal);
    x = x.map((value, k) => {
      const slopeAhead = (euler[k]! - ahead[k]!) / next;
      return value + (next - hat) * (0.5 * slope[k]! + 0.5 * slopeAhead);
    });
  }
  return x;
}
