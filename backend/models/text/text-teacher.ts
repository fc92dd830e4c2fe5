/** A text-to-image teacher as a distillation uses it: the networks of a diffusers folder, its schedule, what it predicts. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Prediction } from '../../diffusion/prediction.ts';
import type { VpSchedule } from '../../diffusion/vp/index.ts';
import { packageRoot } from '../../files/package.ts';
import { createTextUNet } from '../../nets/stable-diffusion/index.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { tokenizerFileNames } from '../../text/index.ts';
import {
  type Component,
  componentOf,
  configOf,
  isDiffusersFolder,
  type JsonObject,
  textToImageClasses,
  weightFilesOf,
} from '../../weights/diffusers/index.ts';
import { fileInput, type InputFile, type Inputs, type InputWork, settingsInputs } from '../input-file.ts';
import type { LatentNetwork } from '../latent-model.ts';
import { openTextModel, type TextModel } from './text-model.ts';

export interface TextTeacher {
  readonly network: LatentNetwork;
  readonly prediction: Prediction;
  readonly model: TextModel;
  /** Content of unet/config.json. */
  readonly unetConfig: JsonObject;
  readonly schedule: VpSchedule;
  /** Tokens of a prompt's embedding. */
  readonly tokens: number;
}

/** What comes with the package. */
const builtin: Readonly<Record<string, string>> = {
  'builtin:scenes-text': 'scenes-text/teacher',
  'builtin:scenes-text/teacher': 'scenes-text/teacher',
};

/** Whether a teacher's name is that of a diffusers folder. */
export function isTextTeacher(name: string): boolean {
  return Object.hasOwn(builtin, name) || isDiffusersFolder(name);
}

/** The folder behind a name. */
export function textTeacherFolder(name: string): string {
  return Object.hasOwn(builtin, name) ? path.join(packageRoot(), 'media', builtin[name]!) : name;
}

/** Reads configurations, no weights. Throws UserError that names the file, or the key of the config that does not fit. */
export function openTextTeacher(config: DistillConfig): TextTeacher {
  const folder = textTeacherFolder(config.teacher);
  if (!existsSync(folder)) {
    const isBuiltin = Object.hasOwn(builtin, config.teacher);
    const message = isBuiltin ? `this package has no ${config.teacher}` : `${folder} is missing`;
    const hint = isBuiltin
      ? 'Name the folder of a teacher: dmd teach --preset scenes-text makes one.'
      : 'Check the path.';
    throw new UserError('weights', message, hint);
  }
  const model = openTextModel(folder);
  if (model.calling.oneStep) {
    throw new UserError(
      'weights',
      `${folder} is a one-step generator, not a teacher`,
      'Name the model it was made from.',
    );
  }
  if (model.onnx) {
    throw new UserError(
      'weights',
      `${folder} holds ONNX files, which cannot be trained`,
      'Name the folder with weights.',
    );
  }
  const unetConfig = configOf(componentOf(model.folder, 'unet', textToImageClasses.unet));
  requireFitting(config, folder, model);
  return {
    model,
    unetConfig,
    schedule: model.schedule,
    network: createTextUNet(unetConfig, { recompute: config.recompute }),
    prediction: model.predictionType,
    tokens: model.tokenizer.encode('').ids.length,
  };
}

/** Keys that mean something else, or nothing, for a teacher of latents. */
function requireFitting(
  { generator, labels, matching, network, text }: DistillConfig,
  folder: string,
  { schedule, predictionType }: TextModel,
): void {
  const refuse = (key: string, why: string, hint: string) => {
    throw new UserError('config', `${key}: ${folder} is a text-to-image model: ${why}`, hint);
  };
  if (text.prompts === undefined) {
    refuse('text.prompts', 'it needs prompts to distill with', 'Name a text file with one prompt per line, or scenes.');
  }
  if (network) refuse('network', "its unet's config.json says its network", 'Remove the key.');
  if (generator.sigma !== 80) {
    refuse('generator.sigma', 'its generator is called at the last timestep', 'Remove the key.');
  }
  if (labels !== 'uniform') refuse('labels', 'it has no classes', 'Remove the key.');
  const { timesteps } = schedule;
  // Without a matching gradient nobody draws from them.
  if (matching.enabled && matching.levels.count !== timesteps) {
    refuse('matching.levels.count', `it has ${timesteps} timesteps`, `Set it to ${timesteps}.`);
  }
  if (schedule.alpha(timesteps - 1) === 0 && predictionType === 'epsilon') {
    refuse('teacher', 'at its last timestep the predicted noise tells nothing of the image', 'Take another teacher.');
  }
}

const settingsFiles = [
  ...['unet/config.json', 'text_encoder/config.json', 'scheduler/scheduler_config.json'],
  ...tokenizerFileNames.map((name) => `tokenizer/${name}`),
];

/** Every part that an iteration depends on: its weights with one hash for all their files, and the settings beside them. */
export async function teacherInputs(
  { model: { folder } }: TextTeacher,
  work: InputWork = {},
): Promise<Inputs & { readonly teacher: InputFile }> {
  const part = (name: string) => componentInput(componentOf(folder, name, textToImageClasses[name]), work);
  return {
    teacher: await part('unet'),
    'teacher (text_encoder)': await part('text_encoder'),
    ...(await settingsInputs('teacher', folder.path, settingsFiles)),
  };
}

/** @param what is hashed, for whoever waits */
export async function componentInput(
  component: Component,
  work: InputWork = {},
  what = component.name,
): Promise<InputFile> {
  const { files } = weightFilesOf(component);
  const hashes: string[] = [];
  for (const file of files) hashes.push((await fileInput(what, file, work)).sha256);
  const sha256 = hashes.length === 1 ? hashes[0]! : createHash('sha256').update(hashes.join()).digest('hex');
  return { path: path.join(component.folder.path, component.name), sha256 };
}
