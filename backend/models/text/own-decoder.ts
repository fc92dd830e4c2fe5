/**
 * An autoencoder in a folder of its own, config.json beside the weights, that stands beside a text-to-image model: a tiny one
 * (TAESD, github.com/madebyollin/taesd) decodes in a small part of the time of the model's own.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TensorData } from '../../graph/tensor-data.ts';
import { type Autoencoder, createAutoencoderKL, createAutoencoderTiny } from '../../nets/stable-diffusion/index.ts';
import { UserError } from '../../protocol/errors.ts';
import type { ArraySource } from '../../weights/array-source.ts';
import {
  type Component,
  configOf,
  modelFile,
  openComponentWeights,
  readComponentWeights,
  textToImageClasses,
} from '../../weights/diffusers/index.ts';
import { expectedOf, inConfigOf, modelFolder } from './text-model.ts';

export interface OwnDecoder {
  /** Absolute. */
  readonly folder: string;
  readonly component: Component;
  readonly vae: Autoencoder;
  /** Throws UserError('weights'). */
  readWeights(): Promise<Map<string, TensorData>>;
  /** The same, of which each is read when its numbers are asked for. */
  openWeights(): Promise<Map<string, ArraySource>>;
}

/** What latents are those of, and what one of them becomes. */
export interface Latents {
  /** For errors. */
  readonly name: string;
  readonly vae: Pick<Autoencoder, 'latentChannels' | 'downFactor' | 'imageChannels'>;
}

/**
 * Reads the configuration, no weights.
 * @param name a folder, or ORGANISATION/NAME of a repository in the hub's cache
 * @param latents of the model that it is to stand beside
 * @throws UserError: 'weights' for a folder that is none, 'config' for a network that is not supported or does not fit
 */
export function openOwnDecoder(name: string, latents: Latents): OwnDecoder {
  const component = ownComponent(path.resolve(modelFolder(name)));
  const create = component.className === 'AutoencoderTiny' ? createAutoencoderTiny : createAutoencoderKL;
  const vae = inConfigOf<Autoencoder<object>>(component, create);
  refuseOtherLatents(name, vae, latents);
  return {
    ...{ folder: component.folder.path, component, vae },
    readWeights: () => readComponentWeights(component, expectedOf(vae.layout)),
    openWeights: () => openComponentWeights(component, expectedOf(vae.layout)),
  };
}

/** The folder as a component that lies in itself, so that no link leads out of it. */
function ownComponent(folder: string): Component {
  const none = (why: string) => {
    const supported = `Name a folder with the config.json and the weights of an ${textToImageClasses.vae!.join(' or ')}.`;
    return new UserError('weights', `${folder} is no autoencoder: ${why}`, supported);
  };
  const parent = { path: folder, pipeline: '', components: new Map(), dmd: {}, base: null };
  const component = { library: 'diffusers', className: '', name: '.', folder: parent };
  if (!existsSync(folder)) throw none('there is no such folder');
  if (modelFile(folder, 'config.json') === undefined) throw none('it has no config.json');
  const { _class_name: className } = configOf(component);
  if (typeof className === 'string' && textToImageClasses.vae!.includes(className)) return { ...component, className };
  throw none(`its config.json says ${JSON.stringify(className ?? null)}`);
}

function refuseOtherLatents(name: string, own: Autoencoder, { name: model, vae }: Latents): void {
  const refuse = (what: string) => {
    const hint = "Take the autoencoder made for this model's latents: taesd for Stable Diffusion 1 and 2.";
    throw new UserError('config', what, hint);
  };
  if (own.latentChannels !== vae.latentChannels) {
    refuse(`${name} decodes latents of ${own.latentChannels} channels, those of ${model} have ${vae.latentChannels}`);
  }
  if (own.downFactor !== vae.downFactor) {
    const pixels = `${own.downFactor} x ${own.downFactor} pixels`;
    refuse(`${name} makes ${pixels} of a latent, the autoencoder of ${model} ${vae.downFactor} x ${vae.downFactor}`);
  }
  if (own.imageChannels !== vae.imageChannels) {
    refuse(`${name} makes images of ${own.imageChannels} channels, ${model} of ${vae.imageChannels}`);
  }
}
