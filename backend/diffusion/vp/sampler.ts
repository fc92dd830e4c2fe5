/**
 * What the samplers of VP models share: the network as they see it, the caller's hooks, and the loop.
 *
 * A sampler is a pure function of its arguments; its state is float32 and flat, as in diffusers. It knows no shapes, prompts or
 * devices: the caller's `predict` does, guidance included. Each method is a `Stepper` made anew for every sampling.
 */
import { UserError } from '../../protocol/errors.ts';

/** Which network call this is: the `i`-th of `steps`. */
export interface CallInfo {
  readonly i: number;
  readonly steps: number;
}

/**
 * The network: its prediction (noise, velocity or image, as the scheduler's config says) for `x` at `timestep`, of the same size.
 * `x` is a fresh array that the callee may keep or transfer. Euler's timesteps can be fractions.
 */
export type Predict = (x: Float32Array, timestep: number, info: CallInfo) => Float32Array | Promise<Float32Array>;

/** Standard normals, `n` of them, after call `i`. Called in order, at most once a call, and only by methods that add noise. */
export type StepNoise = (n: number, i: number) => Float32Array;

/** What a call reports once it is done: the state before it and the clean images expected behind that. Neither is written later. */
export interface VpStep extends CallInfo {
  readonly x: Float32Array;
  readonly timestep: number;
  readonly denoised: Float32Array;
}

export interface VpHooks {
  noise?: StepNoise | undefined;
  onStep?: ((step: VpStep) => void | Promise<void>) | undefined;
  /** Checked before every network call; sampling then ends with a `UserError` of kind `cancelled`. */
  signal?: AbortSignal | undefined;
}

/** One sampling's course: its timesteps, and how each network call moves the state. Holds what multistep methods remember. */
export interface Stepper {
  /** Timestep of every network call, in order. */
  readonly timesteps: readonly number[];
  /** What unit-variance latents are multiplied by to begin with. */
  readonly initNoiseSigma: number;
  /** The factor from the state to what the network sees at call `i`. */
  inputScale(i: number): number;
  /** The next state. Called once per network call, in order. */
  step(i: number, x: Float32Array, prediction: Float32Array, normals: () => Float32Array): Stepped;
}

export interface Stepped {
  readonly x: Float32Array;
  readonly denoised: Float32Array;
}

/**
 * Turns unit-variance `latents` into a sample. `latents` is not written. Throws a `UserError` on cancellation and where the
 * network or the state becomes NaN or Inf.
 */
export async function runSteps(
  stepper: Stepper,
  predict: Predict,
  latents: Float32Array,
  { noise, onStep, signal }: VpHooks = {},
): Promise<Float32Array> {
  const { timesteps, initNoiseSigma } = stepper;
  const steps = timesteps.length;
  let x: Float32Array = latents.map((z) => z * initNoiseSigma);
  for (const [i, timestep] of timesteps.entries()) {
    if (signal?.aborted) throw new UserError('cancelled', `Sampling was stopped at step ${i + 1} of ${steps}.`);
    const factor = stepper.inputScale(i);
    const prediction = await predict(
      x.map((value) => value * factor),
      timestep,
      { i, steps },
    );
    if (prediction.length !== x.length) throw new Error(`predict: ${x.length} numbers in, ${prediction.length} out`);
    requireFinite(prediction, 'The network returned NaN or Inf', timestep, i, steps);
    const next = stepper.step(i, x, prediction, () => normals(noise, x.length, i));
    requireFinite(next.x, 'Sampling came to NaN or Inf', timestep, i, steps);
    await onStep?.({ i, steps, x, timestep, denoised: next.denoised });
    x = next.x;
  }
  return x;
}

function requireFinite(numbers: Float32Array, what: string, timestep: number, i: number, steps: number): void {
  if (numbers.every(Number.isFinite)) return;
  throw new UserError(
    'numeric',
    `${what} at timestep ${timestep} (step ${i + 1} of ${steps}).`,
    "Check the weights and the scheduler's prediction type.",
  );
}

function normals(noise: StepNoise | undefined, n: number, i: number): Float32Array {
  if (!noise) throw new Error(`step ${i} adds noise, but no source of noise was given`);
  const drawn = noise(n, i);
  if (drawn.length !== n) throw new Error(`step ${i}: ${n} normals asked for, ${drawn.length} given`);
  return drawn;
}
