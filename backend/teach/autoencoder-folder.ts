/** Autoencoders by name: a folder, or the one of the built-in text model. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../files/package.ts';
import { builtinTextModels } from '../models/model-file.ts';
import { UserError } from '../protocol/errors.ts';

const builtinAutoencoder = 'builtin:scenes-text/vae';

/** A path, or the built-in model's own autoencoder by name. Throws UserError('weights') for another built-in name. */
export function autoencoderFolder(name: string): string {
  if (!name.startsWith('builtin:')) return name;
  if (name === builtinAutoencoder) {
    const folder = path.join(packageRoot(), 'media', builtinTextModels['scenes-text/teacher'], 'vae');
    if (existsSync(folder)) return folder;
    const hint = 'Name the folder of an autoencoder (vae=...): dmd teach --preset scenes-text-vae makes one.';
    throw new UserError('weights', `this package has no ${name}`, hint);
  }
  throw new UserError('weights', `there is no built-in autoencoder '${name}'`, `There is ${builtinAutoencoder}.`);
}
