/** From latents to images, inside a graph: for the regression on decoded images, and for sample pictures. */
import path from 'node:path';
import type { Tensor } from '../../graph/graph.ts';
import { mul } from '../../graph/ops/index.ts';
import { constantParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { type Inputs, type InputWork, settingsInputs } from '../../models/input-file.ts';
import { expectedOf } from '../../models/text/text-model.ts';
import { componentInput, type TextTeacher } from '../../models/text/text-teacher.ts';
import { type Autoencoder, createAutoencoderKL, createAutoencoderTiny } from '../../nets/stable-diffusion/index.ts';
import { UserError } from '../../protocol/errors.ts';
import {
  type Component,
  componentOf,
  readComponentWeights,
  readJsonObject,
  textToImageClasses,
} from '../../weights/diffusers/index.ts';

export interface Decoder {
  readonly vae: Autoencoder;
  /** Its weights and their settings. */
  inputs(work: InputWork): Promise<Inputs>;
  readWeights(): Promise<Map<string, TensorData>>;
}

/**
 * The autoencoder of a folder: an autoencoder's own, such as a download of a tiny one, or the `vae` of a model.
 * @param folder null: the teacher's
 * @throws UserError that names the folder and what does not fit
 */
export async function openDecoder(folder: string | null, teacher: TextTeacher): Promise<Decoder> {
  const component =
    folder === null ? componentOf(teacher.model.folder, 'vae', textToImageClasses.vae) : ownComponent(folder);
  const vae = folder === null ? teacher.model.vae : autoencoderOf(component);
  if (vae.latentChannels !== teacher.network.latentShape[0]) {
    const message = `text.decoder: ${folder} takes ${vae.latentChannels} channels, ${teacher.model.name} has ${teacher.network.latentShape[0]}`;
    throw new UserError('config', message, "Take the tiny autoencoder made for this teacher's latents.");
  }
  return {
    vae,
    async inputs(work) {
      const [key, name] = folder === null ? ['teacher (vae)', 'teacher'] : ['text.decoder', 'text.decoder'];
      const settings = folder === null ? ['vae/config.json'] : ['config.json'];
      const weights = { [key]: await componentInput(component, work) };
      return { ...weights, ...(await settingsInputs(name, folder ?? teacher.model.folder.path, settings)) };
    },
    readWeights: () => readComponentWeights(component, expectedOf(vae.layout)),
  };
}

/** A folder with config.json and weights stands for a component of the folder around it. */
function ownComponent(folder: string): Component {
  const file = path.join(folder, 'config.json');
  const { _class_name: className } = readJsonObject(file);
  if (typeof className !== 'string' || !textToImageClasses.vae!.includes(className)) {
    const message = `text.decoder: ${folder} is no autoencoder: ${file} says ${JSON.stringify(className)}`;
    throw new UserError('config', message, `Supported are ${textToImageClasses.vae!.join(' and ')}.`);
  }
  const parent = { path: path.dirname(folder), pipeline: '', components: new Map(), dmd: {}, base: null };
  return { library: 'diffusers', className, name: path.basename(folder), folder: parent };
}

function autoencoderOf({ className, folder, name }: Component): Autoencoder {
  const config = readJsonObject(path.join(folder.path, name, 'config.json'));
  return className === 'AutoencoderTiny' ? createAutoencoderTiny(config) : createAutoencoderKL(config);
}

/** Images [B, 3, H, W] of the latents that the UNet works on [B, C, h, w]; weights are constants. */
export function decodeWith(
  { vae }: Pick<Decoder, 'vae'>,
  weights: ReadonlyMap<string, TensorData>,
): (latents: Tensor) => Tensor {
  return (latents) => vae.decode(constantParameters(latents.graph, weights), mul(latents, 1 / vae.scalingFactor));
}
