/** Which files of a diffusers repository a text-to-image model needs: a repository has every precision several times. */
import { UserError } from '../../protocol/errors.ts';
import { chooseWeights, indexFile, type JsonObject, textToImageClasses } from '../../weights/diffusers/index.ts';
import type { HubFile } from './client.ts';

/** Components without weights: all their small files. */
const plain = ['tokenizer', 'scheduler'];

/**
 * @param index model_index.json
 * @throws UserError('io') when a network has no weights (of the variant)
 */
export function wantedFiles(
  repository: string,
  all: readonly HubFile[],
  index: JsonObject,
  variant?: string,
): HubFile[] {
  const parts = [...Object.keys(textToImageClasses), 'scheduler'].filter((part) => Array.isArray(index[part]));
  const wanted = new Set([indexFile]);
  for (const part of parts) {
    const names = all
      .filter((file) => file.path.startsWith(`${part}/`))
      .map((file) => file.path.slice(part.length + 1))
      .filter((name) => !name.includes('/'));
    const needed = plain.includes(part) ? names.filter((name) => /\.(json|txt)$/.test(name)) : weights(part, names);
    for (const name of needed) wanted.add(`${part}/${name}`);
  }
  return all.filter((file) => wanted.has(file.path));

  function weights(part: string, names: readonly string[]): string[] {
    const chosen = chooseWeights((name) => names.includes(name), variant);
    if (!chosen) {
      const what = variant === undefined ? 'weights' : `weights of the variant ${variant}`;
      const message = `${repository}: ${part} has no ${what} that can be read`;
      throw new UserError('io', message, `It has ${names.join(', ') || 'nothing'}.`);
    }
    const shards = chosen.isIndex ? names.filter((name) => chosen.shards.test(name)) : [];
    return ['config.json', chosen.file, ...shards];
  }
}
