/**
 * What the samplers share: the network as they see it, hooks of the caller, and the guarded network call.
 *
 * A sampler is a pure function of its arguments. Its state is float64 and flat, [B, C, H, W] row-major; the network is called in
 * float32. It knows no shapes, labels or devices: the caller's `denoise` does.
 */
import { UserError } from '../protocol/errors.ts';

/** Where a network call belongs: step `i` of `steps`; the corrector is Heun's second call. */
export interface StepInfo {
  i: number;
  steps: number;
  stage: 'predictor' | 'corrector';
}

/**
 * The denoiser D(x; sigma): the clean images expected behind x = clean + sigma * noise.
 * `x` is a fresh array that the callee may keep or transfer. `sigma` is float64; rounding to float32 is the network's business.
 */
export type Denoise = (x: Float32Array, sigma: number, info: StepInfo) => Float32Array | Promise<Float32Array>;

/** Standard normals, `n` of them, for step `i`. Called once per step, in order, and only if there is churn. */
export type Noise = (n: number, i: number) => Float32Array | Float64Array;

/** What a step reports, once its first network call is done. `x` is what the network saw; it is not written afterwards. */
export interface SamplerStep {
  i: number;
  steps: number;
  x: Float64Array;
  sigma: number;
  denoised: Float32Array;
}

export interface SamplerHooks {
  noise?: Noise | undefined;
  onStep?: ((step: SamplerStep) => void | Promise<void>) | undefined;
  /** Checked before every network call; sampling then ends with a `UserError` of kind `cancelled`. */
  signal?: AbortSignal | undefined;
}

/** The noise levels that a network supports (its `sigma_min`, `sigma_max`, `round_sigma`). */
export interface SigmaRange {
  sigmaMin: number;
  sigmaMax: number;
  roundSigma(sigma: number): number;
}

/** EDM's own networks take any level. */
export const anySigma: SigmaRange = { sigmaMin: 0, sigmaMax: Infinity, roundSigma: (sigma) => sigma };

/** Amount of noise added back at each step (Karras et al. 2022, Algorithm 2). */
export interface ChurnOptions {
  num_steps: number;
  S_churn: number;
  S_min: number;
  S_max: number;
  S_noise: number;
}

/** gamma of Algorithm 2: the share by which a step raises its noise level. */
export function churnGamma(sigma: number, { num_steps, S_churn, S_min, S_max }: ChurnOptions): number {
  return S_min <= sigma && sigma <= S_max ? Math.min(S_churn / num_steps, Math.SQRT2 - 1) : 0;
}

/** A step's normals, or nothing where there is no churn. As in the original, steps outside [S_min, S_max] draw theirs too. */
export function churnNoise(n: number, i: number, { S_churn }: ChurnOptions, noise: Noise | undefined) {
  if (S_churn === 0) return undefined;
  if (!noise) throw new Error(`S_churn is ${S_churn}, but no source of noise was given`);
  const normals = noise(n, i);
  if (normals.length !== n) throw new Error(`step ${i}: ${n} normals asked for, ${normals.length} given`);
  return normals;
}

/** Calls the network, unless cancelled, and refuses what cannot be an image: a wrong size, NaN or Inf. */
export async function callNetwork(
  denoise: Denoise,
  x: Float64Array,
  sigma: number,
  info: StepInfo,
  signal?: AbortSignal,
): Promise<Float32Array> {
  if (signal?.aborted) throw new UserError('cancelled', `Sampling was stopped at step ${info.i + 1} of ${info.steps}.`);
  const denoised = await denoise(new Float32Array(x), sigma, info);
  if (denoised.length !== x.length) throw new Error(`denoise: ${x.length} numbers in, ${denoised.length} out`);
  if (!denoised.every(Number.isFinite)) {
    throw new UserError(
      'numeric',
      `The network returned NaN or Inf at noise level ${sigma} (step ${info.i + 1} of ${info.steps}, ${info.stage}).`,
      'Check the weights and whether the network supports this noise level.',
    );
  }
  return denoised;
}
