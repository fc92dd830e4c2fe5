/**
 * The options of both samplers, with their defaults, checked at run time.
 *
 * The keys are the argument names of EDM's generate.py (`edm_sampler`, `ablation_sampler`), so that a command line, a config or
 * a recorded case can be passed on as it is.
 */
import { z } from 'zod';
import { UserError } from '../protocol/errors.ts';

const positive = z.number().positive();
const notNegative = z.number().nonnegative();

const shared = {
  /** Number of steps. One Heun step costs two network calls, the last step one. */
  num_steps: z.number().int().min(1).default(18),
  /** Exponent of the Karras levels. */
  rho: positive.default(7),
  /** Amount of noise added back, over all steps; 0 is deterministic. */
  S_churn: notNegative.default(0),
  /** Only steps at a noise level within [S_min, S_max] add noise back. */
  S_min: notNegative.default(0),
  S_max: notNegative.or(z.literal(Infinity)).default(Infinity),
  /** Standard deviation of the noise added back. */
  S_noise: notNegative.default(1),
};

const edmOptions = z.strictObject({
  ...shared,
  /** Least and greatest noise level, within what the network supports. */
  sigma_min: positive.default(0.002),
  sigma_max: positive.default(80),
});

const ablationOptions = z.strictObject({
  ...shared,
  /** Null or absent: what the discretization is published with. */
  sigma_min: positive.nullish(),
  sigma_max: positive.nullish(),
  solver: z.enum(['euler', 'heun']).default('heun'),
  /** Which noise levels are visited. */
  discretization: z.enum(['vp', 've', 'iddpm', 'edm']).default('edm'),
  /** sigma(t). */
  schedule: z.enum(['vp', 've', 'linear']).default('linear'),
  /** s(t). */
  scaling: z.enum(['vp', 'none']).default('none'),
  /** vp: the smallest t. */
  epsilon_s: positive.lt(1).default(1e-3),
  /** iddpm: least ratio of alpha-bars, offset of the cosine schedule, number of levels. */
  C_1: positive.default(0.001),
  C_2: notNegative.default(0.008),
  M: z.number().int().min(1).default(1000),
  /** Where in the step Heun's second slope is taken; 1 is Heun's own, 0.5 the midpoint method. */
  alpha: positive.default(1),
});

export type EdmSamplerOptions = z.input<typeof edmOptions>;
export type AblationSamplerOptions = z.input<typeof ablationOptions>;
export type ResolvedEdmOptions = z.output<typeof edmOptions>;
export type ResolvedAblationOptions = z.output<typeof ablationOptions>;

/** Fills in defaults. Throws a `UserError` that names the option where one is unknown, mistyped or out of range. */
export function resolveEdmOptions(options: unknown): ResolvedEdmOptions {
  return resolve(edmOptions, options);
}

/** As `resolveEdmOptions`, for the ablation sampler. */
export function resolveAblationOptions(options: unknown): ResolvedAblationOptions {
  return resolve(ablationOptions, options);
}

function resolve<Schema extends z.ZodObject>(schema: Schema, options: unknown): z.output<Schema> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  const known = Object.keys(schema.shape).join(', ');
  throw new UserError('config', `Sampler options: ${problems.join('; ')}.`, `The options are ${known}.`);
}

/** Cuts a span of noise levels to what the network supports. Throws a `UserError` where nothing is left of it. */
export function withinRange(sigmaMin: number, sigmaMax: number, supported: { sigmaMin: number; sigmaMax: number }) {
  const [low, high] = [Math.max(sigmaMin, supported.sigmaMin), Math.min(sigmaMax, supported.sigmaMax)];
  if (low < high) return { sigmaMin: low, sigmaMax: high };
  throw new UserError(
    'config',
    `Sampler options: no noise levels between sigma_min ${low} and sigma_max ${high}` +
      ` (the network supports ${supported.sigmaMin} to ${supported.sigmaMax}).`,
    'Give sigma_min < sigma_max within what the network supports.',
  );
}
