/**
 * The samplers of VP models under their short names and under the class names of scheduler_config.json.
 *
 *     const sampler = createVpSampler(schedulerConfig);            // the model's own
 *     const other = createVpSampler(schedulerConfig, 'dpm');       // another method on the model's noise schedule
 *     const latents = await other.sample(predict, noise, { steps: 20 }, { onStep, signal });
 */
import { UserError } from '../../protocol/errors.ts';
import { ddimStepper } from './ddim.ts';
import { dpmStepper } from './dpm.ts';
import { eulerStepper } from './euler.ts';
import { lcmStepper } from './lcm.ts';
import { pndmStepper } from './pndm.ts';
import { type Predict, runSteps, type Stepper, type VpHooks } from './sampler.ts';
import { alphasCumprodOf, scheduleOf, type VpSchedule } from './schedule.ts';
import {
  type PredictionType,
  resolveModelConfig,
  resolveSamplerConfig,
  type SamplerConfig,
  type SamplerName,
  samplerClasses,
  unknownKeys,
} from './scheduler-config.ts';
import { unipcStepper } from './unipc.ts';

export { classifierFreeGuidance, guideDoubled, needsGuidance } from './guidance.ts';
export { addNoise, cleanCoefficients, combine, noiseCoefficients, predictionTarget } from './prediction.ts';
export type { CallInfo, Predict, StepNoise, VpHooks, VpStep } from './sampler.ts';
export { scheduleOf, type VpSchedule, vpSchedule } from './schedule.ts';
export { type PredictionType, predictionTypes, type SamplerName } from './scheduler-config.ts';

export interface VpSamplingOptions {
  /** Steps of the method, 1 up to the number of timesteps. PNDM calls the network more often than that. */
  readonly steps: number;
  /** DDIM: share of DDPM's noise that is added back, 0 (none) to 1. */
  readonly eta?: number;
}

export interface VpSampler {
  readonly name: SamplerName;
  readonly schedule: VpSchedule;
  readonly predictionType: PredictionType;
  /** Whether it draws noise at its steps, and so needs `hooks.noise`: LCM; DDIM with eta > 0. */
  readonly addsNoise: (options: VpSamplingOptions) => boolean;
  /** `schedulerWarnings` of its config. */
  readonly warnings: readonly string[];
  /** Timestep of every network call. Throws as `sample` does. */
  timesteps(options: VpSamplingOptions): readonly number[];
  /**
   * Turns unit-variance `latents` (flat, not written) into a sample. Throws UserError('config') for options out of range,
   * 'cancelled' on `hooks.signal`, 'numeric' for NaN or Inf.
   */
  sample(predict: Predict, latents: Float32Array, options: VpSamplingOptions, hooks?: VpHooks): Promise<Float32Array>;
}

type Method<Name extends SamplerName> = (
  schedule: VpSchedule,
  config: SamplerConfig<Name>,
  steps: number,
  eta: number,
) => Stepper;

const methods: { readonly [Name in SamplerName]: Method<Name> } = {
  ddim: ddimStepper,
  pndm: pndmStepper,
  dpm: dpmStepper,
  unipc: unipcStepper,
  euler: eulerStepper,
  lcm: lcmStepper,
};

export const samplerNames = Object.keys(methods) as readonly SamplerName[];

function samplerClassOf(schedulerConfig: unknown): unknown {
  return (schedulerConfig as { _class_name?: unknown } | null)?._class_name;
}

/** The short name of a config's own class. Throws UserError('config') where that class is not supported. */
export function samplerOfConfig(schedulerConfig: unknown): SamplerName {
  const name = samplerClassOf(schedulerConfig);
  const found = typeof name === 'string' && Object.hasOwn(samplerClasses, name) ? samplerClasses[name] : undefined;
  if (found) return found;
  throw new UserError(
    'config',
    `scheduler_config.json names ${typeof name === 'string' ? `the scheduler ${name}` : 'no scheduler (_class_name)'}, ` +
      'which this version does not have.',
    `Choose another with --scheduler: ${samplerNames.join(', ')}.`,
  );
}

/**
 * The sampler of a scheduler_config.json, or the named one with what that config says. Throws UserError('config') that names the
 * key for what is out of range or not supported.
 */
export function createVpSampler(schedulerConfig: unknown, name = samplerOfConfig(schedulerConfig)): VpSampler {
  return samplerFor(name, schedulerConfig, resolveSamplerConfig(name, schedulerConfig));
}

/**
 * PNDM as pairs are made with it, for a model of whatever class: without Runge-Kutta steps unless the config asks for them, and
 * on the model's own noise schedule. Throws as `createVpSampler`.
 */
export function createPairSampler(schedulerConfig: unknown): VpSampler {
  const { rescale_betas_zero_snr } = resolveModelConfig(schedulerConfig);
  const own = samplerClassOf(schedulerConfig) === 'PNDMScheduler';
  const asked = own ? {} : { skip_prk_steps: true };
  const pndm = resolveSamplerConfig('pndm', { ...asked, ...(schedulerConfig as object) });
  const config = { ...pndm, rescale_betas_zero_snr };
  return samplerFor('pndm', schedulerConfig, config);
}

/** What a config says of the model, apart from how it is sampled. Throws UserError('config') that names the key. */
export function modelOfConfig(schedulerConfig: unknown): {
  readonly schedule: VpSchedule;
  readonly predictionType: PredictionType;
} {
  const config = resolveModelConfig(schedulerConfig);
  return { schedule: scheduleOf(alphasCumprodOf(config)), predictionType: config.prediction_type };
}

function samplerFor<Name extends SamplerName>(
  name: Name,
  schedulerConfig: unknown,
  config: SamplerConfig<Name>,
): VpSampler {
  const schedule = scheduleOf(alphasCumprodOf(config));
  const method: Method<Name> = methods[name];
  const stepperOf = ({ steps, eta = 0 }: VpSamplingOptions) => {
    requireOptions(schedule, steps, eta);
    return method(schedule, config, steps, eta);
  };
  return {
    name,
    schedule,
    predictionType: config.prediction_type,
    addsNoise: ({ eta = 0 }) => name === 'lcm' || (name === 'ddim' && eta > 0),
    warnings: schedulerWarnings(schedulerConfig),
    timesteps: (options) => stepperOf(options).timesteps,
    sample: async (predict, latents, options, hooks) => runSteps(stepperOf(options), predict, latents, hooks),
  };
}

/** Keys of a config that this version does not know, in words for a person; often none. */
export function schedulerWarnings(schedulerConfig: unknown): string[] {
  const unknown = unknownKeys(schedulerConfig);
  return unknown.map((key) => `scheduler_config.json: ${key} is not known to this version and has no effect.`);
}

function requireOptions({ timesteps }: VpSchedule, steps: number, eta: number): void {
  if (!Number.isInteger(steps) || steps < 1 || steps > timesteps) {
    const hint = `The model's schedule has ${timesteps} timesteps.`;
    throw new UserError(
      'config',
      `The number of steps is ${steps}; it must be a whole number, 1 to ${timesteps}.`,
      hint,
    );
  }
  if (!(eta >= 0 && eta <= 1)) throw new UserError('config', `eta is ${eta}; it must lie between 0 and 1.`);
}
