/** A text-to-image model in a few words. Only configurations are read, and the sizes of its files. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { samplerNames } from '../../diffusion/vp/index.ts';
import { snapshotRepository } from '../../models/hub/cache.ts';
import { openTextModel, type TextModel } from '../../models/text/text-model.ts';
import { UserError } from '../../protocol/errors.ts';
import type { ModelInfo } from '../../protocol/rpc/images.ts';
import { runOf } from '../../runs/folder/lineage.ts';
import { sizeStepOf } from '../../sampling/text/text-request.ts';
import { componentOf, onnxParts, onnxWeightsOf, weightFilesOf } from '../../weights/diffusers/index.ts';

const components = ['text_encoder', 'unet', 'vae'] as const;

const builtinTitles: Readonly<Record<string, string>> = {
  'builtin:scenes-text': 'Scenes from a prompt, one-step generator',
  'builtin:scenes-text/generator': 'Scenes from a prompt, one-step generator',
  'builtin:scenes-text/teacher': 'Scenes from a prompt, teacher',
};

/** Throws UserError for a folder that is no model, or one that is not supported. */
export function describeText(model: string, path: string): ModelInfo {
  const text = openTextModel(path);
  const { calling, folder, imageSize, vae } = text;
  const run = runOf(path);
  return {
    ...{ model, title: titleOf(model, path, run), bytes: bytesOf(text), run },
    origin: originOf(model, run, text),
    role: calling.oneStep ? 'generator' : 'teacher',
    imageShape: [vae.imageChannels, ...imageSize],
    ...{ classes: [], prompt: true, steps: calling.steps, problem: '' },
    samplers: calling.oneStep ? [] : samplersOf(text),
    // The files of an export are for one size.
    sizeStep: text.onnx ? null : sizeStepOf(text),
    guidance: calling.oneStep || calling.guidance <= 1 ? null : calling.guidance,
    teacher: calling.oneStep ? teacherOf(model, folder.base?.path ?? null) : null,
  };
}

/** The model's own first; none where that one is not here, which drawing says. */
function samplersOf(model: TextModel): string[] {
  try {
    const { name } = model.sampler();
    return [name, ...samplerNames.filter((other) => other !== name)];
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

function titleOf(model: string, path: string, run: string | null): string {
  return (
    builtinTitles[model] ?? (run ? `${basename(run)}, ${basename(path)}` : (snapshotRepository(path) ?? basename(path)))
  );
}

/** The built-in teacher goes by its name, so that settings mean the same on every machine. */
function teacherOf(model: string, base: string | null): string | null {
  return model.startsWith('builtin:') ? 'builtin:scenes-text/teacher' : base;
}

function originOf(model: string, run: string | null, { onnx }: TextModel): ModelInfo['origin'] {
  if (model.startsWith('builtin:')) return 'builtin';
  if (run) return 'run';
  return onnx ? 'exported' : 'imported';
}

function bytesOf({ folder, onnx }: TextModel): number {
  const files = onnx
    ? onnxParts.flatMap((part) => onnxWeightsOf(folder, part))
    : components.flatMap((name) => weightFilesOf(componentOf(folder, name)).files);
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}
