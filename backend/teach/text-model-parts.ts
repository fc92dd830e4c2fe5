/** Everything that the teaching of a text model begins with: the autoencoder, the vocabulary, the networks, their weights. */
import path from 'node:path';
import { captionedSize } from '../data/captioned/scene.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { type InputFile, type Inputs, settingsInputs } from '../models/input-file.ts';
import { modelPath } from '../models/model-file.ts';
import { type Autoencoder, createAutoencoderKL } from '../nets/stable-diffusion/autoencoder-kl.ts';
import { createClipText } from '../nets/stable-diffusion/clip-text.ts';
import { createTextUNet } from '../nets/stable-diffusion/unet.ts';
import type { TeachTextConfig } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { readJsonObject } from '../weights/diffusers/index.ts';
import { autoencoderFolder } from './autoencoder-folder.ts';
import { captionTokenizer } from './caption-tokenizer.ts';
import { schedulerConfig, textEncoderConfig, unetConfig } from './component-configs.ts';
import { openInitialComponent } from './initial-component.ts';
import { type TextConditioned, textParts } from './text-loss.ts';

export interface TextModelParts {
  readonly networks: TextConditioned;
  readonly vae: {
    readonly network: Autoencoder;
    readonly weights: ReadonlyMap<string, TensorData>;
    readonly scale: number;
  };
  /** Content of each component's config.json. */
  readonly configs: { readonly unet: object; readonly textEncoder: object; readonly vae: object };
  /** Content of scheduler_config.json. */
  readonly scheduler: object;
  readonly tokenizerFiles: Readonly<Record<string, string>>;
  /** Token ids [L] of a caption, '' for the empty prompt. */
  ids(caption: string): Float32Array;
  /** Weights to begin with, by name in the joint layout; random ones in place of those that are missing. */
  readonly initial: ReadonlyMap<string, TensorData>;
  readonly inputs: Inputs;
}

/** Throws UserError('weights' or 'config') that names the file or the key. */
export async function openTextParts(config: TeachTextConfig): Promise<TextModelParts> {
  const vae = await openAutoencoder(config.vae);
  const tokenizer = await captionTokenizer(config, tokenizerFolder(config));
  const textEncoder = textEncoderConfig(config.text_encoder, tokenizer.tokens);
  const { latentChannels: channels, downFactor } = vae.network;
  const unet = unetConfig(config.unet, { channels, side: captionedSize / downFactor }, config.text_encoder.hidden_size);
  const { recompute } = config;
  const networks = { unet: createTextUNet(unet, { recompute }), textEncoder: createClipText(textEncoder) };
  const initial = await openInitial(config, networks);
  return {
    networks,
    vae,
    configs: { unet, textEncoder, vae: vae.config },
    scheduler: schedulerConfig(config.scheduler),
    tokenizerFiles: tokenizer.files,
    ids: tokenizer.ids,
    initial: initial.weights,
    inputs: {
      vae: vae.input,
      ...(await settingsInputs('vae', vae.folder, ['config.json'])),
      ...tokenizer.inputs,
      ...initial.inputs,
    },
  };
}

async function openAutoencoder(name: string) {
  const folder = autoencoderFolder(name);
  const { _class_name: className, _diffusers_version: _, ...config } = readJsonObject(path.join(folder, 'config.json'));
  if (className !== 'AutoencoderKL') {
    throw new UserError(
      'weights',
      `${folder} is a ${String(className)}, not an AutoencoderKL`,
      'Name the folder vae that dmd teach wrote, or that of a Stable Diffusion model.',
    );
  }
  const network = createAutoencoderKL(config);
  const { weights, input } = await openInitialComponent(folder, network.layout);
  refuseOtherSizes(folder, network);
  return { folder, network, weights, input, config, scale: network.scalingFactor };
}

function refuseOtherSizes(folder: string, { imageChannels, downFactor }: Autoencoder): void {
  if (imageChannels === 3 && captionedSize % downFactor === 0) return;
  throw new UserError(
    'weights',
    `${folder} does not take images of ${captionedSize} x ${captionedSize} pixels in three colours`,
    'Take another autoencoder.',
  );
}

/** Tokens mean what they mean to the text encoder that it begins with. */
function tokenizerFolder({ tokenizer, initialText, initial }: TeachTextConfig): string | undefined {
  const base = initialText ?? (initial && modelPath(initial));
  return tokenizer ?? (base && path.join(base, 'tokenizer'));
}

/** The weights that there are: those of a diffusers folder or a built-in model by name, and another text encoder's. */
async function openInitial({ initial, initialText }: TeachTextConfig, { unet, textEncoder }: TextConditioned) {
  const weights = new Map<string, TensorData>();
  const inputs: Record<string, InputFile> = {};
  const take = async (what: string, folder: string | undefined, part: string, layout: ParameterLayout) => {
    if (folder === undefined) return;
    const component = await openInitialComponent(path.join(folder, part), layout);
    for (const [name, value] of component.weights) weights.set(`${part}.${name}`, value);
    inputs[what] = component.input;
  };
  const folder = initial && modelPath(initial);
  await take('initial', folder, textParts.unet, unet.layout);
  const what = initialText === undefined ? 'initial text encoder' : 'initialText';
  await take(what, initialText ?? folder, textParts.textEncoder, textEncoder.layout);
  return { weights, inputs };
}
