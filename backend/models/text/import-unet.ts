/**
 * Makes a one-step model of a base folder and the UNet that somebody distilled from it: published generators are bare
 * state dicts (DMD2's `pytorch_model.bin`). The new folder holds the UNet alone and names the base for all the rest.
 */
import path from 'node:path';
import { listFolder, makeFolder } from '../../files/folders.ts';
import { stageFolder } from '../../files/staged-folder.ts';
import { UserError } from '../../protocol/errors.ts';
import { componentOf, configOf, readKeyedWeights, writeDiffusersFolder } from '../../weights/diffusers/index.ts';
import type { DmdInfo } from './dmd-info.ts';
import { expectedOf, openTextModel } from './text-model.ts';

export interface ImportRequest {
  /** A whole text-to-image model. */
  readonly base: string;
  /** UNet weights: safetensors or a PyTorch file. */
  readonly file: string;
  /** Which of several sets of weights in it, by the keys that lead there. Default: the average of the generator. */
  readonly key?: string;
  /** The folder to make. */
  readonly out: string;
  /** As in dmd.json; left out, the base's last timestep and prediction type. */
  readonly timestep?: number;
  readonly prediction?: DmdInfo['prediction'];
  /** Store as float16. */
  readonly half?: boolean;
  /** Where it is written before it gets its name, for whoever may have to clear up after an import that was cut short. */
  readonly temporary?: string;
  readonly onStage?: (stage: ImportStage) => void;
}

export type ImportStage = 'reading' | 'writing';

export interface Imported {
  readonly folder: string;
  readonly parameters: number;
  readonly timestep: number;
  readonly prediction: string;
  /** The keys that led to the weights, '' where they were all that the file held. */
  readonly key: string;
  /** Those of other weights in it that would have fitted as well. */
  readonly others: readonly string[];
  /** What the base's configurations say that has no effect. */
  readonly warnings: readonly string[];
}

/**
 * The folder is there whole or not at all.
 * @throws UserError: 'weights' for the base or a state dict that does not fit its UNet, 'usage' for a timestep past its schedule, 'io' where the folder cannot be
 *   written or is not empty
 */
export async function importUNet(request: ImportRequest): Promise<Imported> {
  const { base, file, out, half = false, temporary, onStage, key } = request;
  const model = openTextModel(base);
  if (model.folder.base) {
    const message = `${base} is no whole model itself: it has its components from ${model.folder.base.path}`;
    throw new UserError('weights', message, 'Name that one as the base.');
  }
  if (model.onnx) {
    throw new UserError(
      'weights',
      `${base} is an ONNX pipeline`,
      'Name the folder that it was exported from as the base.',
    );
  }
  refuseTimestep(request.timestep, base, model.schedule.timesteps);
  refuseFull(out);
  onStage?.('reading');
  const taken = await readKeyedWeights([file], expectedOf(model.unet.layout), file, key);
  const { _class_name: className, ...given } = configOf(componentOf(model.folder, 'unet'));
  // How the base's weights were averaged says nothing of these.
  const known = Object.entries(given).filter(([key]) => Object.hasOwn(model.unet.config, key));
  const config = Object.fromEntries(known);
  const dmd: DmdInfo = {
    ...{ base: baseReference(out, base), role: 'generator' },
    timestep: request.timestep ?? model.schedule.timesteps - 1,
    prediction: request.prediction ?? model.predictionType,
  };
  onStage?.('writing');
  makeFolder(path.dirname(path.resolve(out)));
  const staged = stageFolder(out, temporary);
  try {
    const unet = { className: String(className), config, tensors: taken.weights };
    await writeDiffusersFolder(staged.path, { unet, dmd }, { half });
    refuseFull(out);
    staged.place();
  } catch (error) {
    staged.discard();
    // A person knows the final name, not the temporary one.
    if (error instanceof Error) error.message = error.message.replaceAll(staged.path, out);
    throw error;
  }
  return {
    ...{
      folder: out,
      parameters: model.unet.layout.size,
      key: taken.key,
      others: taken.others,
      warnings: model.warnings,
    },
    ...{ timestep: dmd.timestep!, prediction: dmd.prediction! },
  };
}

/** One past the last is pure noise, where a velocity begins. */
function refuseTimestep(timestep: number | undefined, base: string, count: number): void {
  if (timestep === undefined || timestep <= count) return;
  throw new UserError('usage', `timestep ${timestep}: the schedule of ${base} ends at ${count}`, 'Take one within it.');
}

function refuseFull(out: string): void {
  if (listFolder(out).length > 0) throw new UserError('io', `${out} is not empty`, 'Name a new folder.');
}

/** Neighbours can move together; anything else is named by its whole path. */
export function baseReference(folder: string, base: string): string {
  const [from, to] = [path.resolve(folder), path.resolve(base)];
  return path.dirname(from) === path.dirname(to) ? path.relative(from, to) : to;
}
