/** The generator of a run's checkpoint as a model, by the average that a person chooses. Nothing in the folder is written or locked. */
import path from 'node:path';
import { methodOf } from '../methods/index.ts';
import type { SavedTarget } from '../methods/method.ts';
import { UserError } from '../protocol/errors.ts';
import { listCheckpoints, loadLatest, loadStep } from './checkpoints/checkpoints.ts';
import { readConfig, runPaths } from './folder/run-folder.ts';

export interface SavedChoice {
  /** Of the checkpoint; the newest unless given. */
  readonly step?: number;
  /** Decay of the average; the first unless given. */
  readonly ema?: number;
}

/**
 * @param place where the model goes, told the step it is of
 * @returns its path, and the step it is of. Throws UserError: 'usage' for a run without, or an average that is not kept; 'data'; 'io'
 */
export async function writeSavedModel(
  folder: string,
  { step, ema }: SavedChoice,
  place: (step: number) => SavedTarget,
): Promise<{ readonly path: string; readonly step: number }> {
  const paths = runPaths(path.resolve(folder));
  const config = readConfig(paths);
  const write = config.kind === 'distill' ? methodOf(config).writeSaved : undefined;
  if (config.kind !== 'distill' || !write) {
    const what = config.kind === 'distill' ? `method ${config.method}` : config.kind;
    const hint = 'Export the model that it writes in the end.';
    throw new UserError('usage', `checkpoints of ${what} cannot be exported one by one`, hint);
  }
  const { checkpoints } = paths;
  const { checkpoint, warnings } = await (step === undefined ? loadLatest(checkpoints) : loadStep(checkpoints, step));
  if (!checkpoint) {
    const steps = [...new Set(listCheckpoints(checkpoints).map((entry) => entry.step))];
    const hint = steps.length > 0 ? `There are those of: ${steps.join(', ')}.` : 'It has none yet (checkpoint.every).';
    const which = step === undefined ? 'sound checkpoint' : `checkpoint of step ${step}`;
    throw new UserError('data', warnings[0] ?? `${paths.folder} has no ${which}`, hint);
  }
  const state = { files: checkpoint.files, step: checkpoint.step, ...(ema === undefined ? {} : { average: ema }) };
  return { path: await write(config, state, place(checkpoint.step)), step: checkpoint.step };
}
