/** What the leader of several ranks and those who follow it do alike: say who they are, and how long an iteration took them. */
import { createHash } from 'node:crypto';
import { packageVersion } from '../../files/package.ts';
import type { Inputs } from '../../models/input-file.ts';
import { applyOverrides, type Config, valueAt } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Ranks } from '../../ranks/ranks.ts';
import { type Facts, rollCall } from '../../ranks/roll-call.ts';
import type { RunRequest } from './open.ts';

/** What the leader opened, for everybody to open alike. */
export interface Begun {
  readonly config: Config;
  readonly folder: string;
  /** The leader's choice. */
  readonly device: string;
}

/** Before anything is opened. Throws UserError('config') that names ranks and differences. */
export async function greet(ranks: Ranks, { start, set }: RunRequest): Promise<void> {
  const software = { version: packageVersion(), Node: process.version, processor: process.arch };
  const config = 'config' in start ? applyOverrides(start.config, set) : null;
  await rollCall(ranks, { ...software, ...(config && configFacts(config)) });
  if (config) requireSamples(ranks, config);
}

/** Draws come again, but nobody means to share fewer samples than there are ranks. Throws UserError('config'). */
function requireSamples({ size }: Ranks, config: Config): void {
  // A method of distillation may have either, or none.
  const key = config.kind === 'distill' && 'regression' in config ? 'regression.pairs.count' : 'data.count';
  const count = valueAt(config, key);
  if (typeof count !== 'number') return;
  if (size === 1 || count === 0 || count >= size) return;
  throw new UserError('config', `${key} is ${count}, and ${size} ranks are to share it`, 'Start fewer ranks.');
}

/** Files of another content would train another model. Throws UserError('config'). */
export function compareInputs(ranks: Ranks, inputs: Inputs): Promise<void> {
  const contents = Object.entries(inputs).map(([key, { sha256 }]) => [`the content of ${key}`, sha256.slice(0, 12)]);
  return rollCall(ranks, Object.fromEntries(contents), "the ranks' files are not alike");
}

/**
 * After an iteration, by rank: what share of it each waited for others, 0 to 1, and how fast it was while it did not.
 * @param images of the iteration, all ranks together
 * @returns numbers to record; {} alone
 */
export async function rankScalars(ranks: Ranks, seconds: number, images: number): Promise<Record<string, number>> {
  const { rank, size } = ranks;
  if (size === 1) return {};
  const numbers = new Float64Array(2 * size);
  const waited = Math.min(seconds, ranks.takeWaited());
  numbers[rank] = waited / seconds;
  numbers[size + rank] = images / size / Math.max(seconds - waited, Number.EPSILON);
  await ranks.sum(numbers);
  const of = (what: string, from: number) =>
    Array.from(numbers.subarray(from, from + size), (value, i) => [`ranks/${what} of rank ${i}`, value]);
  return Object.fromEntries([...of('waiting', 0), ...of('images per second', size)]);
}

/** Long values by their hash. */
function configFacts(config: Config): Facts {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const text = JSON.stringify(value);
      return [key, text.length < 60 ? text : createHash('sha256').update(text).digest('hex').slice(0, 12)];
    }),
  );
}
