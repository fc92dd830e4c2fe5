/** Runs of text models, distilled and taught, are held to every file that they rest on, as runs-identity.test.ts says. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bite, edit, refusedAndPutBack, refusedThenTaken, scaled } from './training/identity.ts';
import { distillConfig, runHere, scratch } from './training/tiny.ts';
import { autoencoderConfig, textConfig, textEncoderConfig } from './training/tiny-text.ts';

const diffusers = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));

test('distilling a text model: prompts, pairs, decoder and every file of the teacher', async () => {
  const root = scratch();
  const prompts = path.join(root, 'prompts.txt');
  const list = 'a red circle\n\n  two blue stars \r\na square\n';
  fs.writeFileSync(prompts, list);
  const model = path.join(root, 'model');
  const decoder = path.join(root, 'decoder');
  fs.cpSync(diffusers, model, { recursive: true });
  fs.cpSync(path.join(diffusers, 'vae'), decoder, { recursive: true });
  const config = (text: object = {}, regression: object = {}) =>
    distillConfig(model, {
      regression: { pairs: { count: 3, steps: 2 }, batch: 1, ...regression },
      text: { prompts, guidance: 2, ...text },
    });
  const within = (name: string) => path.join(model, name);
  const images = { regressionSpace: 'image' };
  const folder = await refusedThenTaken(root, config(), [
    {
      ...{ key: 'text.prompts', file: prompts, kind: 'data' },
      change: () => fs.writeFileSync(prompts, list.replace('square', 'star')),
    },
  ]);
  const seen = await runHere({ config: config(images), root }, { until: 1 });
  await refusedAndPutBack(seen.folder, [
    {
      ...{ key: 'teacher', file: within('unet') },
      change: () => bite(within('unet/diffusion_pytorch_model.safetensors')),
    },
    {
      ...{ key: 'teacher (text_encoder)', file: within('text_encoder') },
      change: () => bite(within('text_encoder/model.safetensors')),
    },
    {
      ...{ key: 'teacher (scheduler/scheduler_config.json)', file: within('scheduler/scheduler_config.json') },
      change: () => edit(within('scheduler/scheduler_config.json'), scaled('beta_end')),
    },
    {
      ...{ key: 'teacher (tokenizer/tokenizer.json)', file: within('tokenizer/tokenizer.json') },
      change: () => edit(within('tokenizer/tokenizer.json'), (text) => `${text}\n`),
    },
    {
      ...{ key: 'teacher (vae)', file: within('vae') },
      change: () => bite(within('vae/diffusion_pytorch_model.safetensors')),
    },
  ]);
  const other = (await runHere({ config: config({ ...images, decoder }), root }, { until: 1 })).folder;
  await refusedAndPutBack(other, [
    {
      ...{ key: 'text.decoder', file: decoder },
      change: () => bite(path.join(decoder, 'diffusion_pytorch_model.safetensors')),
    },
    {
      ...{ key: 'text.decoder (config.json)', file: path.join(decoder, 'config.json') },
      change: () => edit(path.join(decoder, 'config.json'), (text) => `${text}\n`),
    },
  ]);

  const named = path.join(root, 'pairs');
  fs.cpSync(path.join(folder, 'pairs'), named, { recursive: true });
  await refusedThenTaken(root, config({}, { pairs: { path: named, count: 3 } }), [
    {
      ...{ key: 'regression.pairs.path', file: named, kind: 'data' },
      change: () => fs.cpSync(path.join(other, 'pairs'), named, { recursive: true }),
    },
  ]);

  const same = await runHere({ config: config(), root }, { until: 1 });
  fs.writeFileSync(prompts, list.replace('square', 'star').replaceAll(/\r?\n+\s*/g, '\r\n'));
  const on = await runHere({ folder: same.folder });
  assert.ok(on.last.type === 'ended', `other line ends are the same prompts: ${JSON.stringify(on.last)}`);
});

test('teaching an autoencoder and a text encoder: what they begin with, and the words', async () => {
  const root = scratch();
  const first = await runHere({ config: autoencoderConfig({ iterations: 1 }), root });
  const initial = path.join(first.folder, 'vae');
  const weights = path.join(initial, 'diffusion_pytorch_model.safetensors');
  await refusedThenTaken(root, autoencoderConfig({ initial }), [
    { key: 'initial', file: weights, change: () => bite(weights) },
  ]);
  const text = await runHere({ config: textEncoderConfig({ iterations: 1 }), root });
  const tokenizer = path.join(text.folder, 'text', 'tokenizer');
  const merges = path.join(tokenizer, 'merges.txt');
  await refusedThenTaken(root, textEncoderConfig({ tokenizer }), [
    {
      ...{ key: 'tokenizer (merges.txt)', file: merges },
      change: () => edit(merges, (words) => words.trimEnd()),
    },
    {
      ...{ key: 'tokenizer', file: tokenizer },
      change: () => edit(path.join(tokenizer, 'vocab.json'), (words) => `${words}\n`),
    },
  ]);
});

test('teaching a text model: its autoencoder, the words that come with another model, and both networks’ weights', async () => {
  const root = scratch();
  const vae = path.join((await runHere({ config: autoencoderConfig({ iterations: 1 }), root })).folder, 'vae');
  const first = await runHere({ config: textConfig(vae, { iterations: 1 }), root });
  const initial = path.join(first.folder, 'teacher');
  const within = (name: string) => path.join(initial, name);
  const weights = path.join(vae, 'diffusion_pytorch_model.safetensors');
  const settings = path.join(vae, 'config.json');
  const unet = within('unet/diffusion_pytorch_model.safetensors');
  const encoder = within('text_encoder/model.safetensors');
  const { folder } = await runHere({ config: textConfig(vae, { initial, iterations: 2 }), root }, { until: 1 });
  await refusedAndPutBack(folder, [
    { key: 'vae', file: weights, change: () => bite(weights) },
    { key: 'vae (config.json)', file: settings, change: () => edit(settings, scaled('scaling_factor')) },
    {
      ...{ key: 'tokenizer', file: within('tokenizer') },
      change: () => edit(within('tokenizer/vocab.json'), (words) => `${words}\n`),
    },
    { key: 'initial text encoder', file: encoder, change: () => bite(encoder) },
  ]);
  await refusedThenTaken(root, textConfig(vae, { initial }), [
    { key: 'initial', file: unet, change: () => bite(unet) },
  ]);
});
