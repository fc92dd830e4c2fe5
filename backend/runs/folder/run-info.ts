/** `run.json`: what is known about a run besides its config, and who computed it. */

import { configKinds } from '../../protocol/config/common.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { z } from '../../protocol/config/zod.ts';
import { UserError } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json.ts';
import { isLater, laterFormat } from './later-format.ts';

export const runStates = ['queued', 'running', 'paused', 'stopped', 'finished', 'failed'] as const;
export type RunState = (typeof runStates)[number];

/** Of run folders; `RunInfo` is what it has. */
const format = 1;

const inputFile = z.object({ path: z.string(), sha256: z.string() });

const failure = z.object({
  message: z.string(),
  hint: z.string(),
  /** Where the tensors of an iteration that became NaN are, in the run folder. */
  fields: z.string().optional(),
});

const runInfoSchema = z.object({
  format: z.literal(format),
  kind: z.enum(configKinds),
  name: z.string(),
  state: z.enum(runStates),
  /** Version of this program; same seed, config, device, threads and version give the same bytes. */
  version: z.string(),
  /** The device it computes on, with the name the executor gave it. */
  device: z.string(),
  threads: z.number(),
  /** Processes that train it together. */
  ranks: z.number().int().positive().default(1),
  /** Version of Node, and the machine: `linux x64`. */
  node: z.string(),
  platform: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  updatedAt: z.string(),
  /** Iterations done and to do. */
  step: z.number(),
  iterations: z.number(),
  /** What ended a failed run. */
  error: failure.nullable(),
  /** What had ended it before it was resumed, the oldest first. */
  failures: z.array(failure.extend({ step: z.number(), at: z.string() })).default([]),
  /** What it depends on, by what it holds (models/input-file.ts). */
  inputs: z.record(z.string(), inputFile).default({}),
  /** What of it became another one at a resume, and after which iteration. */
  changes: z
    .array(z.object({ step: z.number(), at: z.string(), key: z.string(), before: inputFile, after: inputFile }))
    .default([]),
  /** Values of the config that changed, and after which iteration. */
  settings: z.array(z.object({ step: z.number(), at: z.string(), set: z.array(z.string()) })).default([]),
  /** What a person changed in it while it ran, in words; the iteration that it was first in. */
  interventions: z.array(z.object({ step: z.number(), at: z.string(), text: z.string() })).default([]),
});

export type RunInfo = z.infer<typeof runInfoSchema>;

/** Reads `run.json`. Throws UserError('data') naming the file when it is damaged or of a later format. */
export function parseRunInfo(text: string, file: string): RunInfo {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw damaged(file, error instanceof Error ? error.message : String(error));
  }
  const found = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (isLater(found, format)) throw laterFormat(file, found, format);
  const result = safeParse(runInfoSchema, value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw damaged(file, `${issue!.path.join('.')}: ${issue!.message}`);
}

function damaged(file: string, why: string): UserError {
  const hint = 'The checkpoints beside it are not affected: start a new run from one of them.';
  return new UserError('data', `${file} cannot be read: ${why}`, hint);
}
