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

/** Names of a component's weights: one file, or an index of several. */
export interface WeightNames {
  readonly file: string;
  readonly isIndex: boolean;
  /** Where an index is, what its shards' names match. */
  readonly shards: RegExp;
  readonly variant: string;
}

/**
 * Chooses among what a folder has: the wanted variant, else full precision or, where there is none, fp16. Undefined where
 * there are no weights.
 */
export function chooseWeights(has: (file: string) => boolean, wanted?: string): WeightNames | undefined {
  for (const variant of wanted === undefined ? ['', 'fp16'] : [wanted]) {
    const infix = variant === '' ? '' : `.${variant}`;
    for (const [stem, ending] of names) {
      const shards = new RegExp(`^${stem}(\\.\\w+)?-\\d+-of-\\d+(\\.\\w+)?\\.${ending}$`);
      // Both orders are met: diffusers and transformers have changed their minds.
      const indices = [`${stem}.${ending}.index${infix}.json`, `${stem}${infix}.${ending}.index.json`];
      const file = [`${stem}${infix}.${ending}`, ...indices].find(has);
      if (file !== undefined) return { file, isIndex: indices.includes(file), shards, variant };
    }
  }
  return undefined;
}

/** Whether a component has weights of a variant. */
export function hasVariant({ folder, name }: Component, variant: string): boolean {
  return chooseWeights((file) => modelFile(folder.path, `${name}/${file}`) !== undefined, variant) !== undefined;
}

/** The files of a component, chosen as above. Throws UserError('weights') when there are none or a shard is missing. */
export function weightFilesOf({ folder, name }: Component, wanted?: string): WeightFiles {
  const inside = (file: string) => modelFile(folder.path, `${name}/${file}`);
  const chosen = chooseWeights((file) => inside(file) !== undefined, wanted);
  if (chosen) {
    const { variant, isIndex } = chosen;
    const file = inside(chosen.file)!;
    return { variant, files: isIndex ? shards(file, inside) : [file] };
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
  const first = missing.length > 1 ? `${missing[0]}, ...` : missing[0];
  const message = `${path.dirname(index)}: ${missing.length} of ${wanted.length} shards are missing (${first})`;
  throw new UserError('weights', message, 'Download the model again, all of it.');
}
