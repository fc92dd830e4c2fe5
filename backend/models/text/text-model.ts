/**
 * A text-to-image model as it lies on the disk: its networks as functions, its tokenizer, its scheduler, and how it is
 * called. Configurations are read here; weights only when a network is first compiled.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  createVpSampler,
  modelOfConfig,
  type PredictionType,
  type SamplerName,
  schedulerWarnings,
  type VpSampler,
  type VpSchedule,
} from '../../diffusion/vp/index.ts';
import type { ParameterLayout } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import {
  type Autoencoder,
  createAutoencoderKL,
  createAutoencoderTiny,
  createClipText,
  createTextUNet,
  ignoredKeys,
  type TextEncoder,
  type TextUNet,
} from '../../nets/stable-diffusion/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { ClipTokenizer, tokenizerFileNames } from '../../text/index.ts';
import type { ArraySource } from '../../weights/array-source.ts';
import {
  type Component,
  componentOf,
  configOf,
  type DiffusersFolder,
  hasVariant,
  type JsonObject,
  modelFile,
  type OnnxFiles,
  onnxFilesOf,
  openComponentWeights,
  openDiffusersFolder,
  readComponentWeights,
  readText,
  refuseOtherPipelines,
  textToImageClasses,
  weightFilesOf,
} from '../../weights/diffusers/index.ts';
import { cachedSnapshot, isRepositoryName } from '../hub/cache.ts';
import { type Calling, callingOf } from './dmd-info.ts';

export interface TextModel {
  readonly folder: DiffusersFolder;
  readonly name: string;
  readonly tokenizer: ClipTokenizer;
  readonly textEncoder: TextEncoder;
  /** The same without the layers that are to be left out: as in diffusers, for the prompt and not for the negative one. */
  readonly promptEncoder: TextEncoder;
  readonly unet: TextUNet;
  readonly vae: Autoencoder;
  readonly calling: Calling;
  /** Height and width of pictures where none are asked for. */
  readonly imageSize: readonly [number, number];
  /** The noise schedule that the networks were trained with. */
  readonly schedule: VpSchedule;
  readonly predictionType: PredictionType;
  readonly schedulerConfig: JsonObject;
  /** What its configurations say that has no effect here, in words for a person; mostly nothing. */
  readonly warnings: readonly string[];
  /**
   * The model's own sampler, or another one made from its config. Throws UserError('config') where this version does not have
   * the class, or what the config asks of it.
   */
  sampler(name?: SamplerName): VpSampler;
  /** As they were asked for. */
  readonly variant: string | undefined;
  readonly clipSkip: number;
  /** The networks as files that run as they are; null where there are weights. */
  readonly onnx: OnnxFiles | null;
  /** Weights by parameter name. Throws UserError('weights'). */
  readWeights(component: TextComponent): Promise<Map<string, TensorData>>;
  /** The same, of which each is read when its numbers are asked for. */
  openWeights(component: TextComponent): Promise<Map<string, ArraySource>>;
}

export type TextComponent = 'text_encoder' | 'unet' | 'vae';

export interface TextModelOptions {
  /** Which of several sets of weights, e.g. fp16 or non_ema. */
  readonly variant?: string;
  /** Layers of the text encoder left out at the end, as diffusers counts: 1 reads the last but one. */
  readonly clipSkip?: number;
}

/** Throws UserError: 'weights' for the folder and its files, 'config' for a configuration that is not supported. */
export function openTextModel(name: string, { variant, clipSkip = 0 }: TextModelOptions = {}): TextModel {
  const folder = openDiffusersFolder(modelFolder(name));
  refuseOtherPipelines(folder.base ?? folder);
  const component = (part: string) => componentOf(folder, part, textToImageClasses[part]);
  const onnx = onnxFilesOf(folder);
  const vaePart = onnx ? onnxDecoder(folder) : component('vae');
  const partOf = (part: string) => (onnx ? componentOf(folder, part) : component(part));
  const components = { text_encoder: partOf('text_encoder'), unet: partOf('unet'), vae: vaePart };
  const textEncoder = inConfigOf(components.text_encoder, createClipText);
  const promptEncoder = inConfigOf(components.text_encoder, (config) => createClipText(config, { clipSkip }));
  const unet = inConfigOf(components.unet, createTextUNet);
  const createVae = components.vae.className === 'AutoencoderTiny' ? createAutoencoderTiny : createAutoencoderKL;
  const vae = inConfigOf<Autoencoder<object>>(components.vae, createVae);
  refuseMisfits(folder.path, textEncoder, unet, vae);
  const schedulerConfig = configOf(componentOf(folder, 'scheduler'), 'scheduler_config.json');
  const { schedule, predictionType } = modelOfConfig(schedulerConfig);
  if (onnx) refuseOptionsOfWeights(folder.path, variant, clipSkip);
  else if (!Object.values(components).some((one) => variantFor(one, variant) === variant)) {
    weightFilesOf(components.unet, variant); // says what there is
  }
  const layouts = { text_encoder: textEncoder.layout, unet: unet.layout, vae: vae.layout };
  const weightsOf = (part: TextComponent) => {
    const component = components[part];
    return [component, expectedOf(layouts[part]), variantFor(component, variant)] as const;
  };
  const [, height, width] = unet.latentShape;
  return {
    ...{ folder, name, textEncoder, promptEncoder, unet, vae },
    onnx,
    tokenizer: tokenizerOf(component('tokenizer'), textEncoder),
    calling: callingOf(folder, schedulerConfig, predictionType, schedule.timesteps - 1),
    imageSize: [height * vae.downFactor, width * vae.downFactor],
    ...{ schedule, predictionType, schedulerConfig },
    warnings: [
      ...idleKeys(components.unet, unet.config),
      ...idleKeys(components.vae, vae.config),
      ...schedulerWarnings(schedulerConfig),
    ],
    sampler: (wanted) => createVpSampler(schedulerConfig, wanted),
    ...{ variant, clipSkip },
    readWeights: (part) => readComponentWeights(...weightsOf(part)),
    openWeights: (part) => openComponentWeights(...weightsOf(part)),
  };
}

/** A folder as it is, or the cache's newest of a model that was downloaded under this name. */
export function modelFolder(name: string): string {
  if (fs.existsSync(name) || !isRepositoryName(name)) return name;
  const cached = cachedSnapshot(name);
  if (cached !== undefined) return cached;
  throw new UserError(
    'weights',
    `${name} is neither a folder nor a downloaded model`,
    `dmd download ${name} fetches it.`,
  );
}

/** ONNX files are run as they are. Throws UserError('usage'). */
function refuseOptionsOfWeights(folder: string, variant: string | undefined, clipSkip: number): void {
  if (variant === undefined && clipSkip === 0) return;
  const what = clipSkip === 0 ? 'no variants' : 'no layers that could be left out';
  const option = clipSkip === 0 ? '--variant' : '--clip-skip';
  throw new UserError('usage', `${folder} holds ONNX files, which have ${what}`, `Leave ${option} out.`);
}

/** Published variants are often of one component alone, such as a UNet's non_ema: the others have what they always have. */
function variantFor(component: Component, variant: string | undefined): string | undefined {
  return variant !== undefined && hasVariant(component, variant) ? variant : undefined;
}

function idleKeys(component: Component, parsed: object): string[] {
  const keys = ignoredKeys(configOf(component), parsed);
  return keys.length === 0 ? [] : [`${component.name}/config.json: without effect here: ${keys.join(', ')}`];
}

/** Optimum's index does not name it, so its own config.json says of which class it is. */
function onnxDecoder(folder: DiffusersFolder): Component {
  const part = { library: 'optimum', className: 'AutoencoderKL', name: 'vae_decoder', folder };
  const { _class_name: className } = configOf(part);
  return typeof className === 'string' ? { ...part, className } : part;
}

/** Its files are read here, so that none of them leads out of the folder. */
function tokenizerOf({ folder, name }: Component, text: TextEncoder): ClipTokenizer {
  const found = tokenizerFileNames.map((file) => [file, modelFile(folder.path, `${name}/${file}`)] as const);
  const files = found.flatMap(([file, real]) => (real === undefined ? [] : [[file, readText(real)] as const]));
  const tokenizer = ClipTokenizer.fromFiles(Object.fromEntries(files), path.join(folder.path, name));
  const { vocab_size: rows } = text.config;
  if (tokenizer.vocabularySize <= rows && tokenizer.maxTokens <= text.maxTokens) return tokenizer;
  const sizes = `${tokenizer.vocabularySize} tokens, ${tokenizer.maxTokens} a prompt; ${rows} and ${text.maxTokens}`;
  const message = `${folder.path}: tokenizer and text encoder are of different sizes (${sizes})`;
  throw new UserError('weights', message, 'These components are not of one model.');
}

/** What a layout asks a file for. */
export function expectedOf({ entries }: ParameterLayout): Map<string, readonly number[]> {
  return new Map(entries.map(({ name, shape }) => [name, shape]));
}

/** Networks speak of keys; the person also wants to know of which file. */
export function inConfigOf<T>(component: Component, create: (config: unknown) => T): T {
  try {
    return create(configOf(component));
  } catch (error) {
    if (!(error instanceof UserError) || error.kind !== 'config') throw error;
    const file = path.join(component.folder.path, component.name, 'config.json');
    throw new UserError('config', `${file}: ${error.message}`, error.hint, { cause: error });
  }
}

function refuseMisfits(folder: string, text: TextEncoder, unet: TextUNet, vae: Autoencoder): void {
  const refuse = (what: string) => {
    throw new UserError('weights', `${folder}: ${what}`, 'These components are not of one model.');
  };
  if (text.contextDim !== unet.contextDim) {
    refuse(`the text encoder gives ${text.contextDim} numbers per token, the unet takes ${unet.contextDim}`);
  }
  if (vae.latentChannels !== unet.latentShape[0]) {
    refuse(`the vae has ${vae.latentChannels} latent channels, the unet ${unet.latentShape[0]}`);
  }
}
