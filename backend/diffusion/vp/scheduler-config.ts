/**
 * scheduler_config.json of a diffusers folder, checked: the part that says how noise grows, which every class has, and the part
 * that each of the supported samplers adds. Keys, meanings and defaults are those of the diffusers classes.
 *
 * What would change the result and cannot be done is refused by name; a key that no supported class knows is reported as a
 * warning; a key that only another class knows is passed over, as diffusers does when a pipeline's scheduler is exchanged.
 */

import { z } from 'zod';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import { problemOf } from '../../protocol/value-problem.ts';

/** What the network's output is: the noise, the velocity alpha eps - sigma x_0 (Salimans and Ho 2022), or x_0 itself. */
export const predictionTypes = ['epsilon', 'v_prediction', 'sample'] as const;
export type PredictionType = (typeof predictionTypes)[number];

const MOST_TIMESTEPS = 100_000;
const beta = z.number().gt(0).lt(1);
const spacing = z.enum(['leading', 'trailing', 'linspace']);

/** A key of diffusers of which only its plain value is supported. */
const only = (value: boolean | string | null) => z.literal(value).nullish();

const noiseKeys = {
  num_train_timesteps: z.int().min(1).max(MOST_TIMESTEPS).default(1000),
  beta_start: beta.default(0.0001),
  beta_end: beta.default(0.02),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
  /** Every beta itself, in place of the three above. */
  trained_betas: z.array(z.number()).min(1).max(MOST_TIMESTEPS).nullish(),
  /** Ends the schedule in pure noise, alpha = 0. */
  rescale_betas_zero_snr: z.boolean().default(false),
};

const predictionKey = { prediction_type: z.enum(predictionTypes).default('epsilon') };

const shared = {
  ...noiseKeys,
  ...predictionKey,
  /** Added to every timestep of the spacing `leading`. */
  steps_offset: z.int().min(0).default(0),
};
const thresholding = only(false);

const clipping = {
  /** Cuts the predicted x_0 to +- clip_sample_range. */
  clip_sample: z.boolean(),
  clip_sample_range: z.number().positive().default(1),
};

/** Of the samplers that work in sigma/alpha. */
const sigmaKeys = {
  timestep_spacing: spacing.default('linspace'),
  use_karras_sigmas: z.boolean().nullish(),
  /** The level after the last call: 0, or that of timestep 0. */
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
  use_exponential_sigmas: only(false),
  use_beta_sigmas: only(false),
};
const flowKeys = { use_flow_sigmas: only(false), use_dynamic_shifting: only(false) };
const sigmaLimits = { sigma_min: z.number().positive().nullish(), sigma_max: z.number().positive().nullish() };
const order = z.int().min(1).max(2, { error: 'only orders 1 and 2 are supported' }).default(2);

const ddim = z.object({
  ...shared,
  ...clipping,
  thresholding,
  clip_sample: clipping.clip_sample.default(true),
  timestep_spacing: spacing.default('leading'),
  /** What follows timestep 0: no noise at all, or the noise of timestep 0. */
  set_alpha_to_one: z.boolean().default(true),
});

const { rescale_betas_zero_snr: _, ...sharedByPndm } = shared;

/** The one class that knows nothing of zero terminal SNR. */
const pndm = z.object({
  ...sharedByPndm,
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  timestep_spacing: spacing.default('leading'),
  set_alpha_to_one: z.boolean().default(false),
  /** Begins without Runge-Kutta steps. */
  skip_prk_steps: z.boolean().default(false),
});

const dpm = z.object({
  ...shared,
  thresholding,
  ...sigmaKeys,
  ...flowKeys,
  solver_order: order,
  algorithm_type: only('dpmsolver++'),
  /** How the second-order term is weighted; other classes' names of it mean midpoint. */
  solver_type: z.enum(['midpoint', 'heun', 'bh1', 'bh2', 'logrho']).default('midpoint'),
  lower_order_final: z.boolean().default(true),
  euler_at_final: z.boolean().default(false),
  /** Leaves out timesteps whose log(alpha/sigma) is below. */
  lambda_min_clipped: z
    .number()
    .or(z.literal(['-Infinity', Number.NEGATIVE_INFINITY]))
    .nullish(),
  use_lu_lambdas: only(false),
  /** Of other classes, which may name a fixed one. */
  variance_type: z
    .string()
    .nullish()
    .refine((type) => !type?.startsWith('learned'), 'only null or a fixed variance is supported'),
});

const unipc = z.object({
  ...shared,
  thresholding,
  ...sigmaKeys,
  ...flowKeys,
  ...sigmaLimits,
  solver_order: order,
  /** B(h) of the paper; other classes' names mean bh2. */
  solver_type: z.enum(['bh1', 'bh2', 'midpoint', 'heun', 'logrho']).default('bh2'),
  predict_x0: only(true),
  lower_order_final: z.boolean().default(true),
  /** Calls, counted from 0, after which nothing is corrected. */
  disable_corrector: z.array(z.int().min(0)).default([]),
  solver_p: only(null),
  shift_terminal: only(null),
});

const euler = z.object({
  ...shared,
  ...sigmaKeys,
  ...sigmaLimits,
  interpolation_type: only('linear'),
  timestep_type: only('discrete'),
});

const lcm = z.object({
  ...shared,
  ...clipping,
  thresholding,
  beta_start: beta.default(0.00085),
  beta_end: beta.default(0.012),
  beta_schedule: noiseKeys.beta_schedule.removeDefault().default('scaled_linear'),
  clip_sample: clipping.clip_sample.default(false),
  timestep_spacing: spacing.default('leading'),
  set_alpha_to_one: z.boolean().default(true),
  /** Number of steps of the solver that the model was distilled from. */
  original_inference_steps: z.int().min(1).default(50),
  /** Times the timestep, in the boundary condition. */
  timestep_scaling: z.number().positive().default(10),
});

export const samplerSchemas = { ddim, pndm, dpm, unipc, euler, lcm };
export type SamplerName = keyof typeof samplerSchemas;
export type SamplerConfig<Name extends SamplerName> = z.output<(typeof samplerSchemas)[Name]>;

const model = z.object({ ...noiseKeys, ...predictionKey });
/** What a config says of the model itself, whatever draws with it. */
export type ModelConfig = z.output<typeof model>;
export type NoiseConfig = Omit<ModelConfig, 'prediction_type'>;

/** Of no effect on numbers: who wrote the file, and dynamic thresholding's settings, which is refused itself. */
const idle = ['dynamic_thresholding_ratio', 'sample_max_value', 'flow_shift', 'time_shift_type', 'variance_type'];
const known = new Set([...Object.values(samplerSchemas).flatMap((schema) => Object.keys(schema.shape)), ...idle]);

/** The keys of a config that no supported class knows: they have no effect here, and might have one elsewhere. */
export function unknownKeys(config: unknown): string[] {
  const keys = Object.keys(asObject(config));
  return keys.filter((key) => !key.startsWith('_') && !known.has(key));
}

/** The classes of diffusers that are here. */
export const samplerClasses: Readonly<Record<string, SamplerName>> = {
  DDIMScheduler: 'ddim',
  PNDMScheduler: 'pndm',
  DPMSolverMultistepScheduler: 'dpm',
  UniPCMultistepScheduler: 'unipc',
  EulerDiscreteScheduler: 'euler',
  LCMScheduler: 'lcm',
};

/**
 * The part of a scheduler's config that is the model's own: its noise schedule, and what it predicts. The class may be one that
 * is not here; its defaults are not known then, nor whether its noise grows by betas at all, so that the config must say it.
 * Throws UserError('config') that names the key.
 */
export function resolveModelConfig(config: unknown): ModelConfig {
  const raw = asObject(config);
  const { _class_name: name } = raw;
  const isKnown = typeof name !== 'string' || Object.hasOwn(samplerClasses, name);
  const missing = ['beta_start', 'beta_end', 'beta_schedule'].find((key) => raw[key] === undefined);
  if (!isKnown && !raw.trained_betas && missing !== undefined) {
    throw new UserError(
      'config',
      `scheduler_config.json: the noise schedule of ${name} is not known here, and the file does not say ${missing}.`,
      'Supported are models whose noise grows by betas, like Stable Diffusion 1.x and 2.x.',
    );
  }
  const ofLcm = name === 'LCMScheduler' ? lcm.parse({}) : {};
  return parse(model, { ...pick(ofLcm, Object.keys(noiseKeys)), ...raw });
}

/** A sampler's own view of a config. Throws UserError('config') that names the key. */
export function resolveSamplerConfig<Name extends SamplerName>(name: Name, config: unknown): SamplerConfig<Name> {
  // The entry of a union of schemas is not narrowed by its key.
  return parse(samplerSchemas[name], asObject(config)) as SamplerConfig<Name>;
}

function parse<Schema extends z.ZodObject>(schema: Schema, config: object): z.output<Schema> {
  const result = safeParse(schema, config);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => [issue.path.join('.'), problemOf(issue, config)].join(': '));
  throw new UserError(
    'config',
    `scheduler_config.json: ${problems.join('; ')}.`,
    'Correct the file, or choose another sampler for this model.',
  );
}

function asObject(config: unknown): Record<string, unknown> {
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return { ...config };
  const hint = 'It is an object like the one that diffusers writes.';
  throw new UserError('config', 'scheduler_config.json holds no settings.', hint);
}

function pick(source: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, source[key]]));
}
