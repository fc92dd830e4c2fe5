/**
 * What is in an export beside the networks: the configuration of each component, the tokenizer, the scheduler, the index in
 * Optimum's layout, and for a generator dmd.json. The folder needs no base.
 */
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folders.ts';
import type { DmdInfo } from '../../models/text/dmd-info.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import { tokenizerFileNames } from '../../text/index.ts';
import {
  componentOf,
  configOf,
  type DiffusersFolder,
  diffusersVersion,
  dmdFile,
  indexFile,
  type JsonObject,
  modelFile,
  type OnnxPart,
  onnxParts,
  readText,
  writeJson,
} from '../../weights/diffusers/index.ts';
import { componentOfPart } from './graphs.ts';

/** Optimum's classes, as it writes them into the index. */
const optimum = 'optimum.onnxruntime.modeling_diffusion';
const classes: Readonly<Record<OnnxPart, string>> = {
  text_encoder: 'ORTTextEncoder',
  unet: 'ORTUnet',
  vae_decoder: 'ORTVaeDecoder',
};

/** @param latentSize that the networks are written for. Throws UserError: 'io', 'weights'. */
export function writeExportFiles(target: string, model: TextModel, latentSize: readonly [number, number]): void {
  const { folder } = model;
  const changes = configChanges(model, latentSize);
  for (const part of onnxParts) {
    const component = componentOfPart[part];
    copyFile(folder, `${component}/config.json`, target, `${part}/config.json`);
    const changed = changes[part];
    if (!changed) continue;
    writeJson(path.join(target, part, 'config.json'), { ...configOf(componentOf(folder, component)), ...changed });
  }
  for (const name of tokenizerFileNames) copyFile(folder, `tokenizer/${name}`, target);
  copyFile(folder, 'scheduler/scheduler_config.json', target);
  const dmd = dmdOf(model);
  if (dmd) writeJson(path.join(target, dmdFile), dmd);
  writeJson(path.join(target, indexFile), indexOf(model));
}

/** Configurations stay as they are, to the letter, but for what other programs would get wrong. */
function configChanges({ unet, vae, folder }: TextModel, [height, width]: readonly [number, number]) {
  const [, ownHeight, ownWidth] = unet.latentShape;
  const changes: Partial<Record<OnnxPart, JsonObject>> = {};
  if (height !== ownHeight || width !== ownWidth) {
    changes.unet = { sample_size: height === width ? height : [height, width] };
  }
  // Old models leave it to the default of their class, which Optimum does not know.
  const { scaling_factor: factor } = configOf(componentOf(folder, 'vae'));
  if (factor === undefined) changes.vae_decoder = { scaling_factor: vae.scalingFactor };
  return changes;
}

function indexOf({ folder }: TextModel): object {
  const named = (name: string) => {
    const { library, className } = componentOf(folder, name);
    return [name, [library, className]] as const;
  };
  return {
    ...{ _class_name: folder.pipeline, _diffusers_version: diffusersVersion },
    ...Object.fromEntries(onnxParts.map((part) => [part, [optimum, classes[part]]])),
    ...Object.fromEntries(['tokenizer', 'scheduler'].map(named)),
    ...{ safety_checker: [null, null], feature_extractor: [null, null], requires_safety_checker: false },
  };
}

/** How it is called, where the scheduler alone does not say so. */
function dmdOf({ calling, folder }: TextModel): DmdInfo | null {
  const { oneStep, steps, guidance } = calling;
  if (oneStep) {
    const { again, ...first } = oneStep;
    return { role: 'generator', ...first, ...(again.length > 0 ? { again } : {}) };
  }
  return Object.keys(folder.dmd).length > 0 ? { role: 'teacher', steps, guidance } : null;
}

/** A text file of the model or its base; one that is not there is left out. */
function copyFile(model: DiffusersFolder, name: string, target: string, newName = name): void {
  const { folder } = componentOf(model, path.dirname(name));
  const found = modelFile(folder.path, name);
  if (found === undefined) return;
  makeFolder(path.join(target, path.dirname(newName)));
  writeFileAtomic(path.join(target, newName), readText(found));
}
