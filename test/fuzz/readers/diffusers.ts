/** Folders of text-to-image models and their tokenizers. */
import path from 'node:path';
import { openTextModel } from '../../../backend/models/text/text-model.ts';
import { describe } from '../../../backend/server/models/describe.ts';
import { ClipTokenizer } from '../../../backend/text/index.ts';
import { componentOf, openDiffusersFolder, weightFilesOf } from '../../../backend/weights/diffusers/index.ts';
import type { Dice } from '../dice.ts';
import type { Files } from '../files.ts';
import { damaged } from '../make/bytes.ts';
import { worseJson, worseJsonText } from '../make/json.ts';
import { ours, type Reader } from '../reader.ts';
import { all } from './together.ts';

const model = 'test/golden/tiny-diffusion/model/';
const configs = [
  'model_index.json',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'unet/config.json',
  'vae/config.json',
  'tokenizer/tokenizer_config.json',
  'tokenizer/tokenizer.json',
];
const weights = [
  'text_encoder/model.safetensors',
  'unet/diffusion_pytorch_model.safetensors',
  'vae/diffusion_pytorch_model.safetensors',
];

export const diffusers: Reader = {
  name: 'diffusers',
  read: (folder) =>
    all(
      () => openDiffusersFolder(folder),
      () => {
        for (const part of ['unet', 'vae', 'text_encoder'])
          weightFilesOf(componentOf(openDiffusersFolder(folder), part));
      },
      async () => {
        const text = openTextModel(folder);
        text.sampler();
        await text.readWeights('text_encoder');
      },
      async () => {
        const { problem } = await describe(folder, folder, 0);
        // A fault hides no other model; here it counts.
        if (/fault of DMD Workbench/.test(problem)) throw new Error(problem);
      },
    ),
  make(dice) {
    const worst = new Set([dice.of(configs), ...(dice.chance(0.3) ? [dice.of(configs)] : [])]);
    const files: Record<string, Uint8Array | string> = {};
    for (const name of configs) {
      const text = ours(model + name).toString('utf8');
      if (worst.has(name) && dice.chance(0.03)) continue;
      files[name] = worst.has(name) ? worseJsonText(text, dice) : text;
    }
    // Whether weights fit is their headers' to say: most inputs are about what comes before.
    for (const name of weights)
      files[name] = dice.chance(0.2)
        ? damaged(ours(model + name), dice, 4000)
        : ours(model + name).subarray(0, dice.chance(0.1) ? undefined : 9000);
    if (dice.chance(0.1))
      files['dmd.json'] = worseJson(
        { role: 'generator', base: '..', timestep: 999, prediction: 'epsilon', steps: 1, guidance: 1 },
        dice,
      );
    if (dice.chance(0.1)) Object.assign(files, sharded(dice));
    return files;
  },
};

function sharded(dice: Dice): Files {
  const index = {
    metadata: { total_size: 10 },
    weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors', c: '../../x' },
  };
  return { 'unet/diffusion_pytorch_model.safetensors.index.json': worseJson(index, dice) };
}

const prompts = ['a red circle', '', 'É\u0301 ﷺ 😀 \0', '<|endoftext|>x', 'a'.repeat(5000), '\u{e0001}'.repeat(50)];

export const tokenizers: Reader = {
  name: 'tokenizer',
  async read(folder) {
    const tokenizer = await ClipTokenizer.fromFolder(path.join(folder, 'tokenizer'));
    for (const prompt of prompts) tokenizer.encode(prompt);
  },
  make(dice): Files {
    const golden = (name: string) => ours(`test/golden/tokenizer/${name}`).toString('utf8');
    const settings = ours(`${model}tokenizer/tokenizer_config.json`).toString('utf8');
    if (dice.chance(0.4)) {
      const whole = ours(`${model}tokenizer/tokenizer.json`).toString('utf8');
      return {
        'tokenizer/tokenizer.json': worseJsonText(whole, dice),
        'tokenizer/tokenizer_config.json': dice.chance(0.3) ? worseJsonText(settings, dice) : settings,
      };
    }
    const merges = golden('merges.txt');
    return {
      'tokenizer/vocab.json': dice.chance(0.5) ? worseJsonText(golden('vocab.json'), dice) : golden('vocab.json'),
      'tokenizer/merges.txt': dice.chance(0.4) ? damaged(merges, dice) : merges,
      ...(dice.chance(0.4) ? { 'tokenizer/tokenizer_config.json': worseJsonText(settings, dice) } : {}),
      ...(dice.chance(0.3)
        ? {
            'tokenizer/special_tokens_map.json': worseJson(
              { bos_token: '<|startoftext|>', eos_token: { content: '<|endoftext|>' } },
              dice,
            ),
          }
        : {}),
      ...(dice.chance(0.3) ? { 'tokenizer/added_tokens.json': worseJson({ '<x>': 40, '<y>': 41 }, dice) } : {}),
      ...(dice.chance(0.3) ? { 'tokenizer/words.txt': damaged(golden('words.txt'), dice) } : {}),
    };
  },
};
