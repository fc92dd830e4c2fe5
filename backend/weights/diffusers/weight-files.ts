/**
 * Which files hold a component's weights. diffusers calls them diffusion_pytorch_model, transformers model or
 * pytorch_model; safetensors or a PyTorch file, whole or in shards with an index, each perhaps in a variant such as fp16.
 */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import type { Component } from './components.ts';
import { modelFile } from './contained.ts';
import { readJsonObject } from './json-file.ts';

/** Stems and endings in the order of preference: safetensors is read faster and in pieces. */
const names: readonly (readonly [stem: string, ending: string])[] = [
  ['diffusion_pytorch_model', 'safetensors'],
  ['model', 'safetensors'],
  ['diffusion_pytorch_model', 'bin'],
  ['pytorch_model', 'bin'],
];

export interface WeightFiles {
  /** Real paths; several for a sharded component. */
  readonly files: readonly string[];
  /** '' for the full precision. */
  readonly variant: string;
}

/**
 * The files of a component: of the wanted variant, else of full precision or, where there is none, of fp16.
 * @throws UserError('weights') when there are none or a shard is missing
 */
export function weightFilesOf({ folder, name }: Component, wanted?: string): WeightFiles {
  const inside = (file: string) => modelFile(folder.path, `${name}/${file}`);
  for (const variant of wanted === undefined ? ['', 'fp16'] : [wanted]) {
    const infix = variant === '' ? '' : `.${variant}`;
    for (const [stem, ending] of names) {
      const whole = inside(`${stem}${infix}.${ending}`);
      if (whole !== undefined) return { files: [whole], variant };
      // Both orders are met: diffusers and transformers have changed their minds.
      const index = inside(`${stem}.${ending}.index${infix}.json`) ?? inside(`${stem}${infix}.${ending}.index.json`);
      if (index !== undefined) return { files: shards(index, inside), variant };
    }
  }
  const has = fs.readdirSync(path.join(folder.path, name)).join(', ') || 'nothing';
  const what = wanted === undefined ? 'weights' : `weights of the variant ${wanted}`;
  const message = `${path.join(folder.path, name)} has no ${what}: it holds ${has}`;
  throw new UserError('weights', message, `Expected is a file like ${names[0].join('.')}.`);
}

function shards(index: string, inside: (file: string) => string | undefined): string[] {
  const { weight_map: map } = readJsonObject(index);
  const values = typeof map === 'object' && map !== null ? Object.values(map) : [];
  if (values.length === 0 || !values.every((file) => typeof file === 'string')) {
    throw new UserError('weights', `${index} names no files (weight_map)`, 'Fetch the file again.');
  }
  const wanted = [...new Set<string>(values)].sort();
  const found = wanted.map(inside);
  const missing = wanted.filter((_, i) => found[i] === undefined);
  if (missing.length === 0) return found.filter((file) => file !== undefined);
  const message = `${path.dirname(index)}: ${missing.length} of ${wanted.length} shards are missing (${missing[0]}, ...)`;
  throw new UserError(
    'weights',
    message.replace(', ...)', missing.length > 1 ? ', ...)' : ')'),
    'Download the model again, all of it.',
  );
}
