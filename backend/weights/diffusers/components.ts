/** Components of a model folder: which there must be, of which class, and their configurations. */
import { UserError } from '../../protocol/errors.ts';
import { modelFile } from './contained.ts';
import { type ComponentClass, type DiffusersFolder, indexFile } from './folder.ts';
import { type JsonObject, readJsonObject } from './json-file.ts';

export interface Component extends ComponentClass {
  readonly name: string;
  /** The folder that has it: the model's own or that of its base. */
  readonly folder: DiffusersFolder;
}

/** Classes that a text-to-image model may be made of, by component. */
export const textToImageClasses: Readonly<Record<string, readonly string[]>> = {
  tokenizer: ['CLIPTokenizer', 'CLIPTokenizerFast'],
  text_encoder: ['CLIPTextModel'],
  unet: ['UNet2DConditionModel'],
  vae: ['AutoencoderKL', 'AutoencoderTiny'],
};

/** Components that change what is computed and that this program does not have. */
const unsupported = [
  'text_encoder_2',
  'text_encoder_3',
  'transformer',
  'prior',
  'decoder',
  'movq',
  'controlnet',
  'unet_2',
];

/**
 * A component by name, from the folder or its base. Throws UserError('weights') when there is none, or it is of a class
 * other than `classes`.
 */
export function componentOf(model: DiffusersFolder, name: string, classes?: readonly string[]): Component {
  const folder = model.base && modelFile(model.path, name) === undefined ? model.base : model;
  const known = folder.components.get(name);
  if (!known) {
    const has = [...folder.components.keys()].join(', ') || 'nothing';
    const message = `${folder.path} has no component '${name}': its ${indexFile} names ${has}`;
    throw new UserError(
      'weights',
      message,
      'A text-to-image model needs tokenizer, text_encoder, unet, vae and scheduler.',
    );
  }
  if (modelFile(folder.path, name) === undefined) {
    const message = `${folder.path}: the folder ${name}/ is missing, though ${indexFile} names it`;
    throw new UserError('weights', message, 'Download the model again, all of it.');
  }
  if (classes && !classes.includes(known.className)) {
    const message = `${folder.path}: ${name} is a ${known.className}, which is not supported`;
    throw new UserError('weights', message, `Supported here: ${classes.join(', ')}.`);
  }
  return { ...known, name, folder };
}

/** Throws UserError('weights') for a folder of another kind than Stable Diffusion 1 and 2: names what it is. */
export function refuseOtherPipelines({ path, pipeline, components }: DiffusersFolder): void {
  const strange = unsupported.find((name) => components.has(name));
  if (strange === undefined && components.has('unet')) return;
  const why = strange === undefined ? 'no unet' : `${strange} (${components.get(strange)?.className})`;
  const message = `${path} is a ${pipeline} with ${why}, which is not supported`;
  throw new UserError('weights', message, 'Supported are models like Stable Diffusion 1.x and 2.x.');
}

/** A component's config.json; a scheduler's is scheduler_config.json. Throws UserError('weights') when it is missing. */
export function configOf({ folder, name }: Component, file = 'config.json'): JsonObject {
  const found = modelFile(folder.path, `${name}/${file}`);
  if (found !== undefined) return readJsonObject(found);
  throw new UserError('weights', `${folder.path}: ${name}/${file} is missing`, 'Download the model again, all of it.');
}
