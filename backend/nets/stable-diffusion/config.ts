/**
 * Reading a model's config.json as diffusers and transformers write it: their keys, their defaults. A key that is not known
 * is refused by name, because it may change what the network computes, unless it is switched off or says how the weights were
 * averaged; a known one must have a value that is supported.
 */

import { z } from 'zod';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import { most } from '../../protocol/network-bounds.ts';
import { problemOf } from '../../protocol/value-problem.ts';

export const count = z.int().positive().max(most.width);
export const positive = z.number().positive();
/** Blocks of a level, layers of a transformer. */
export const blocks = z.int().positive().max(most.blocks);
/** For each level: channels, or kinds of blocks. */
export const perLevel = <T extends z.ZodType>(value: T) => z.array(value).min(1).max(most.levels);
/** A number for all blocks, or one for each. */
export const perBlock = (largest: number) =>
  z
    .union([z.int().positive(), perLevel(z.int().positive())])
    .refine((value) => [value].flat().every((one) => one <= largest), `at most ${largest} is supported`);

/** A key that is accepted with this value only; what others mean is not built. */
export const only = <T extends z.core.util.Literal>(value: T) => z.literal(value).default(value as never);
/** A switch that must be off; null is as good as false. */
export const off = z.literal(false).nullable().default(false);
/** A key that must be absent or null. */
export const absent = z.null().default(null);

/** What diffusers' EMAModel leaves in the config.json of averaged weights. */
const averaging = [
  'decay',
  'min_decay',
  'optimization_step',
  'update_after_step',
  'use_ema_warmup',
  'inv_gamma',
  'power',
];

/** Whether a key that is not known changes nothing: it is switched off, or bookkeeping. */
function isIdle(key: string, value: unknown): boolean {
  return value === null || value === false || averaging.includes(key);
}

/**
 * Keys of a config that were passed over, of those that nobody reads.
 * @param parsed what `parseModelConfig` made of it
 */
export function ignoredKeys(raw: object, parsed: object): string[] {
  const extra = Object.entries(raw).filter(([key]) => !key.startsWith('_') && !Object.hasOwn(parsed, key));
  return extra.filter(([key, value]) => isIdle(key, value)).map(([key]) => key);
}

/**
 * Checks a config against `shape` and fills in defaults. Keys that begin with '_' say who wrote the file and are left out.
 * Throws UserError('config') that names key and value.
 * @param what the class, as messages call it
 * @param others what to do with keys that are not in `shape`
 */
export function parseModelConfig<S extends z.ZodRawShape>(
  what: string,
  shape: S,
  raw: unknown,
  others: 'refuse' | 'ignore' = 'refuse',
): z.output<z.ZodObject<S>> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new UserError('config', `${what}: the config is not an object`, "Give the model folder's config.json.");
  }
  const matters = ([key, value]: [string, unknown]) =>
    !key.startsWith('_') && (Object.hasOwn(shape, key) || !isIdle(key, value));
  const given: Record<string, unknown> = Object.fromEntries(Object.entries(raw).filter(matters));
  const schema = others === 'refuse' ? z.strictObject(shape) : z.object(shape);
  const parsed = safeParse(schema, given);
  if (parsed.success) return parsed.data as z.output<z.ZodObject<S>>;
  const [issue] = parsed.error.issues;
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    const value = JSON.stringify(given[key]);
    throw new UserError(
      'config',
      `${what}: '${key}' (${value}) is not known`,
      'Only the networks of Stable Diffusion 1 and 2 are supported.',
    );
  }
  const key = String(issue.path[0]);
  throw unsupported(what, issue.path.join('.'), given[key], problemOf(issue, given));
}

/** The error for a value that is not supported, or that does not fit the others. */
export function unsupported(what: string, key: string, value: unknown, why: string): UserError {
  const shown = value === undefined ? 'missing' : JSON.stringify(value);
  return new UserError(
    'config',
    `${what}: '${key}' is ${shown}: ${why}`,
    "Compare with the model folder's config.json.",
  );
}

/** Throws UserError('config') for more blocks, and layers in them, than any network has. */
export function refuseDeep(what: string, key: string, value: unknown, total: number): void {
  if (total <= most.blocksInAll) return;
  throw unsupported(
    what,
    key,
    value,
    `that makes ${total} layers in all, and at most ${most.blocksInAll} are supported`,
  );
}

/** The class a config says it is for; a config without one is taken at the caller's word. */
export function checkClass(what: string, raw: unknown): void {
  const name = (raw as { _class_name?: unknown } | null)?._class_name;
  if (name !== undefined && name !== what) throw unsupported(what, '_class_name', name, `only ${what} is read here`);
}

/** A list of `length` values from one for all or one for each. */
export function spread(
  what: string,
  key: string,
  value: number | readonly number[],
  length: number,
): readonly number[] {
  if (typeof value === 'number') return Array<number>(length).fill(value);
  if (value.length !== length) throw unsupported(what, key, value, `${length} blocks need as many values`);
  return value;
}
