/**
 * Writes diffusers folders that diffusers itself loads: model_index.json last, so that a folder which has one is whole.
 * Weights are safetensors, float32 or float16.
 */
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { makeFolderIn } from '../../files/contained.ts';
import { makeFolder } from '../../files/folders.ts';
import { type TensorEntries, writeSafetensors } from '../safetensors.ts';
import { dmdFile, indexFile } from './folder.ts';

export interface NetworkToWrite {
  readonly className: string;
  /** Constructor arguments, without `_class_name` and `architectures`. */
  readonly config: object;
  readonly tensors: TensorEntries;
}

export interface WriteFolderOptions {
  /** float16 instead of float32: half the size, rounded to 11 bits. */
  readonly half?: boolean;
}

/** A text-to-image model; parts that are left out come from the base that `dmd` names. */
export interface ModelToWrite {
  /** Default StableDiffusionPipeline. */
  readonly pipeline?: string;
  readonly unet?: NetworkToWrite;
  readonly vae?: NetworkToWrite;
  readonly text_encoder?: NetworkToWrite;
  /** Files of tokenizer/ by name: vocab.json, merges.txt, tokenizer_config.json, special_tokens_map.json. */
  readonly tokenizer?: Readonly<Record<string, string>>;
  readonly scheduler?: { readonly className: string; readonly config: object };
  /** Content of dmd.json: what a generator is (`DmdInfo` of backend/runs/text). */
  readonly dmd?: object;
}

/** Whose the classes are, and under which name the weights are looked for. */
const libraries = {
  unet: ['diffusers', 'diffusion_pytorch_model.safetensors'],
  vae: ['diffusers', 'diffusion_pytorch_model.safetensors'],
  text_encoder: ['transformers', 'model.safetensors'],
} as const;

/** The version of diffusers whose layout of folders and configurations this is. */
export const diffusersVersion = '0.30.0';

/** Writes a component's folder. Throws UserError('io'), or UserError('weights') when a value does not fit float16. */
export async function writeComponent(
  folder: string,
  name: keyof typeof libraries,
  { className, config, tensors }: NetworkToWrite,
  { half = false }: WriteFolderOptions = {},
): Promise<void> {
  const [library, file] = libraries[name];
  makeFolder(folder);
  makeFolderIn(folder, name);
  const dtype = half ? 'F16' : 'F32';
  // Readers of transformers insist on being told the format.
  await writeSafetensors(path.join(folder, name, file), tensors, { dtype, metadata: { format: 'pt' } });
  const head =
    library === 'diffusers'
      ? { _class_name: className, _diffusers_version: diffusersVersion }
      : { architectures: [className], torch_dtype: half ? 'float16' : 'float32' };
  writeJson(path.join(folder, name, 'config.json'), { ...head, ...config });
}

/** Writes tokenizer/ of a model folder, given its files by name. Throws UserError('io'). */
export function writeTokenizer(folder: string, files: Readonly<Record<string, string>>): void {
  makeFolder(folder);
  makeFolderIn(folder, 'tokenizer');
  for (const [name, text] of Object.entries(files)) writeFileAtomic(path.join(folder, 'tokenizer', name), text);
}

/** Writes a model folder; files of other names that are there already stay. Errors as `writeComponent`. */
export async function writeDiffusersFolder(
  folder: string,
  model: ModelToWrite,
  options: WriteFolderOptions = {},
): Promise<void> {
  const { pipeline = 'StableDiffusionPipeline', tokenizer, scheduler, dmd } = model;
  makeFolder(folder);
  const index: Record<string, [string, string]> = {};
  for (const name of ['unet', 'vae', 'text_encoder'] as const) {
    const network = model[name];
    if (!network) continue;
    await writeComponent(folder, name, network, options);
    index[name] = [libraries[name][0], network.className];
  }
  if (tokenizer) {
    writeTokenizer(folder, tokenizer);
    index.tokenizer = ['transformers', 'CLIPTokenizer'];
  }
  if (scheduler) {
    const { className, config } = scheduler;
    makeFolderIn(folder, 'scheduler');
    const head = { _class_name: className, _diffusers_version: diffusersVersion };
    writeJson(path.join(folder, 'scheduler', 'scheduler_config.json'), { ...head, ...config });
    index.scheduler = ['diffusers', className];
  }
  if (dmd) writeJson(path.join(folder, dmdFile), dmd);
  // A folder without components of its own kind is described by its base.
  if (dmd && 'base' in dmd) return;
  writeJson(path.join(folder, indexFile), {
    ...{ _class_name: pipeline, _diffusers_version: diffusersVersion },
    ...index,
    ...{ safety_checker: [null, null], feature_extractor: [null, null], requires_safety_checker: false },
  });
}

/** Keys that transformers insists on being floats: JavaScript would write 1.0 as 1. */
const floats = 'initializer_factor|initializer_range|layer_norm_eps|attention_dropout|dropout';
const wholeFloat = new RegExp(`^(\\s*"(?:${floats})": -?\\d+)(,?)$`, 'gm');

/** A file that Python reads. Throws UserError('io'). */
export function writeJson(file: string, value: object): void {
  const json = JSON.stringify(value, null, 2).replace(wholeFloat, '$1.0$2');
  writeFileAtomic(file, `${json}\n`);
}
