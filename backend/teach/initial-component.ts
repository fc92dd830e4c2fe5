/** Weights that a component's training begins with: a folder with config.json and weights, as diffusers writes it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { hashOf } from '../data/pair-shard.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { InputFile } from '../models/input-file.ts';
import { UserError } from '../protocol/errors.ts';
import { readNetworkWeights } from '../weights/diffusers/index.ts';

export interface InitialComponent {
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly input: InputFile;
}

const fileNames = ['diffusion_pytorch_model.safetensors', 'model.safetensors'];

/**
 * @param folder of the component
 * @throws UserError('weights') when there are no weights, or they are another network's
 */
export async function openInitialComponent(folder: string, layout: ParameterLayout): Promise<InitialComponent> {
  const file = fileNames.map((name) => path.join(folder, name)).find((name) => existsSync(name));
  if (file === undefined) {
    throw new UserError(
      'weights',
      `${folder} has no weights: neither ${fileNames.join(' nor ')} is there`,
      'Name the folder of one component, such as vae in a diffusers folder.',
    );
  }
  const expected = new Map(layout.entries.map(({ name, shape }) => [name, shape]));
  const weights = await readNetworkWeights([file], expected, folder);
  return { weights, input: { path: file, sha256: (await hashOf(file)) ?? '' } };
}
