/**
 * The configuration of a network, under the original constructor's argument names and with its defaults, so that the
 * arguments stored in an EDM snapshot are a valid configuration as they are.
 */

import { z } from 'zod';
import { safeParse } from '../protocol/config/safe-parse.ts';
import { UserError } from '../protocol/errors.ts';
import { most } from '../protocol/network-bounds.ts';

const count = (largest: number) => z.int().positive().max(largest);
const size = (largest: number) => z.int().nonnegative().max(largest);
const multiples = z.array(count(most.factor)).min(1).max(most.levels);
const positive = z.number().positive();
const fraction = z.number().min(0).lt(1);
/** JSON has no infinity; null stands for it. */
const upperBound = z
  .union([z.number().positive(), z.literal(Infinity), z.null()])
  .transform((value) => value ?? Infinity);

const common = {
  img_resolution: count(most.pixels),
  img_channels: count(most.width),
  label_dim: size(most.classes).default(0),
  /** Accepted for the snapshots' sake; everything computes in float32. */
  use_fp16: z.boolean().default(false),
};

const preconditionings = {
  EDMPrecond: {
    sigma_min: z.number().nonnegative().default(0),
    sigma_max: upperBound.default(Infinity),
    sigma_data: positive.default(0.5),
  },
  VPPrecond: {
    beta_d: positive.default(19.9),
    beta_min: positive.default(0.1),
    M: count(most.timesteps).default(1000),
    epsilon_t: positive.default(1e-5),
  },
  VEPrecond: { sigma_min: positive.default(0.02), sigma_max: positive.default(100) },
  iDDPMPrecond: { C_1: positive.default(0.001), C_2: positive.default(0.008), M: count(most.timesteps).default(1000) },
};

const unet = {
  augment_dim: size(most.width).default(0),
  channel_mult_emb: count(most.factor).default(4),
  dropout: fraction.default(0.1),
  label_dropout: fraction.default(0),
};

const evenTaps = z
  .array(z.number())
  .min(2)
  .max(most.taps)
  .refine((taps) => taps.length % 2 === 0, 'needs an even number of taps')
  .refine((taps) => taps.reduce((a, b) => a + b, 0) !== 0, 'must not sum to zero');

const models = {
  SongUNet: {
    ...unet,
    model_channels: count(most.width).default(128),
    channel_mult: multiples.default([1, 2, 2, 2]),
    num_blocks: size(most.blocks).default(4),
    attn_resolutions: z.array(count(most.pixels)).max(most.levels).default([16]),
    embedding_type: z.enum(['positional', 'fourier']).default('positional'),
    channel_mult_noise: count(most.factor).default(1),
    encoder_type: z.enum(['standard', 'skip', 'residual']).default('standard'),
    decoder_type: z.enum(['standard', 'skip']).default('standard'),
    resample_filter: evenTaps.default([1, 1]),
  },
  DhariwalUNet: {
    ...unet,
    model_channels: count(most.width).default(192),
    channel_mult: multiples.default([1, 2, 3, 4]),
    num_blocks: size(most.blocks).default(3),
    attn_resolutions: z.array(count(most.pixels)).max(most.levels).default([32, 16, 8]),
  },
  /** For points: an image of one pixel with a channel per coordinate. */
  MLP: {
    model_channels: count(most.width).default(128),
    num_blocks: count(most.blocks).default(3),
  },
};

export type PreconditioningClass = keyof typeof preconditionings;
export type ModelType = keyof typeof models;

type Fields<S extends z.ZodRawShape> = z.output<z.ZodObject<S>>;
type Named<K extends string, S extends Record<string, z.ZodRawShape>, Key extends string> = {
  [N in keyof S & string]: { [P in K]: N } & Fields<S[N]>;
}[Key & keyof S & string];

type PreconditioningConfig = Named<'class', typeof preconditionings, PreconditioningClass>;
type ModelConfig = Named<'model_type', typeof models, ModelType>;

/** Every option present, defaults filled in. */
export type NetworkConfig = Fields<typeof common> & PreconditioningConfig & ModelConfig;

function choice<T extends string>(raw: Record<string, unknown>, key: string, known: readonly T[], fallback: T): T {
  const value = raw[key] ?? fallback;
  if (!known.includes(value as T)) {
    throw new UserError(
      'config',
      `network config: ${key} is ${JSON.stringify(value)}, which is not known`,
      `Known are ${known.join(', ')}.`,
    );
  }
  return value as T;
}

/**
 * Checks a configuration and fills in the original's defaults. `class` may carry its module ('training.networks.').
 * Throws UserError('config') that names the key.
 */
export function parseNetworkConfig(raw: unknown): NetworkConfig {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new UserError('config', 'network config: an object is needed', 'Give the constructor arguments by name.');
  }
  const given = { ...(raw as Record<string, unknown>) };
  if (typeof given.class === 'string') given.class = given.class.split('.').at(-1);
  const preconditioning = choice(given, 'class', Object.keys(preconditionings) as PreconditioningClass[], 'EDMPrecond');
  const usual = preconditioning === 'VPPrecond' || preconditioning === 'VEPrecond' ? 'SongUNet' : 'DhariwalUNet';
  const model = choice(given, 'model_type', Object.keys(models) as ModelType[], usual);
  const schema = z.strictObject({
    class: z.literal(preconditioning).default(preconditioning),
    model_type: z.literal(model).default(model),
    ...common,
    ...preconditionings[preconditioning],
    ...models[model],
  });
  const parsed = safeParse(schema, given);
  if (!parsed.success) throw describe(parsed.error.issues[0], `${preconditioning} with ${model}`);
  const config = parsed.data as unknown as NetworkConfig;
  checkSizes(config);
  return config;
}

function describe(issue: z.core.$ZodIssue, kind: string): UserError {
  if (issue.code === 'unrecognized_keys') {
    return new UserError(
      'config',
      `network config: unknown key '${issue.keys.join("', '")}' for ${kind}`,
      'Remove it, or check its spelling and the model_type.',
    );
  }
  return new UserError('config', `network config: ${issue.path.join('.')}: ${issue.message}`, `This is ${kind}.`);
}

/** Sizes that fit each other; the normalisations' own rule is checked where the channels are known. */
function checkSizes(config: NetworkConfig): void {
  const fail = (message: string, hint: string) => {
    throw new UserError('config', `network config: ${message}`, hint);
  };
  if ('sigma_min' in config && config.sigma_min >= config.sigma_max) {
    fail(`sigma_min ${config.sigma_min} is not below sigma_max ${config.sigma_max}`, 'Swap or correct them.');
  }
  if (config.model_channels % 2 !== 0) {
    fail(`model_channels ${config.model_channels} is odd`, 'The noise embedding has pairs of channels; make it even.');
  }
  if (config.model_type === 'MLP') return;
  const factors = {
    channel_mult: Math.max(...config.channel_mult),
    channel_mult_emb: config.channel_mult_emb,
    channel_mult_noise: 'channel_mult_noise' in config ? config.channel_mult_noise : 1,
  };
  for (const [key, factor] of Object.entries(factors)) {
    if (config.model_channels * factor <= most.width) continue;
    fail(`${key}: ${factor} times ${config.model_channels} channels are too many`, 'No network is as wide.');
  }
  const blocks = config.num_blocks * config.channel_mult.length;
  if (blocks > most.blocksInAll)
    fail(`num_blocks ${config.num_blocks} makes ${blocks} blocks`, 'No network is as deep.');
  const halvings = config.channel_mult.length - 1;
  if (config.img_resolution % 2 ** halvings !== 0) {
    fail(
      `img_resolution ${config.img_resolution} cannot be halved ${halvings} times, as channel_mult asks`,
      'Shorten channel_mult or choose another resolution.',
    );
  }
}
