/** Teaching a text encoder: a run like any other, whose folder a text model begins with. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createClipText } from '../../backend/nets/stable-diffusion/clip-text.ts';
import { openInitialComponent } from '../../backend/teach/initial-component.ts';
import { curves, runHere, scratch, stateBytes } from './training/tiny.ts';
import { autoencoderConfig, textConfig, textEncoderConfig } from './training/tiny-text.ts';

const root = scratch();
const weightFile = path.join('text_encoder', 'model.safetensors');
const bytes = (...parts: string[]) => fs.readFileSync(path.join(...parts)).toString('hex');

test('n steps equal k, a stop, a resume, n - k, bit for bit', async () => {
  const config = textEncoderConfig({ accumulation: 2 });
  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const first = await runHere({ config, root }, { until: 2 });
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished', JSON.stringify(second.last));
  assert.deepEqual([...second.scalars.keys()], [3, 4]);
  assert.deepEqual(stateBytes(first.folder, 4), stateBytes(whole.folder, 4));
  assert.deepEqual(curves(first.folder), curves(whole.folder));
  assert.equal(bytes(first.folder, 'text', weightFile), bytes(whole.folder, 'text', weightFile));
});

test('it learns to tell captions apart, which held-out images show', async () => {
  const networks = {
    text_encoder: { hidden_size: 32, intermediate_size: 64, num_hidden_layers: 1, num_attention_heads: 2 },
    image_encoder: { channels: [8, 16, 32], norm_num_groups: 4 },
    embedding: 16,
  };
  const training = {
    ...{ iterations: 60, batch: 24, ema: 0.8 },
    optimizer: { lr: 5e-3, warmup: 5, clip: 1, decay: 'cosine' },
    data: { seed: 3, count: 4000 },
    record: { measureEvery: 20, measured: 24, histogramsEvery: 60 },
  };
  const run = await runHere({ config: textEncoderConfig({ ...networks, ...training }), root });
  assert.ok(run.last.type === 'ended', JSON.stringify(run.last));
  const points = curves(run.folder);
  const heldOut = points.get('loss/held-out')!;
  assert.deepEqual(
    heldOut.map(([step]) => step),
    [0, 20, 40, 60],
  );
  // Choosing blindly costs ln 24 = 3.18.
  assert.ok(heldOut.at(-1)![1] < 2.7, `${heldOut}`);
  const chosen = points.get('quality/own text chosen among 24')!.at(-1)![1];
  assert.ok(chosen > 0.12 && chosen <= 1, `${chosen} where chance is 0.04`);
});

test('a text model begins with it and its words, beside the U-Net of another model', async () => {
  const { folder: own } = await runHere({ config: textEncoderConfig(), root });
  const initialText = path.join(own, 'text');
  const raw = JSON.parse(fs.readFileSync(path.join(initialText, 'text_encoder', 'config.json'), 'utf8'));
  assert.deepEqual([raw.architectures, raw.hidden_size], [['CLIPTextModel'], 8]);
  const { weights } = await openInitialComponent(path.join(initialText, 'text_encoder'), createClipText(raw).layout);
  assert.ok(weights.size > 10);

  const vae = path.join((await runHere({ config: autoencoderConfig({ iterations: 1 }), root })).folder, 'vae');
  const still = { optimizer: { lr: 0, weightDecay: 0 }, ema: 0, initialText };
  // Other captions: a vocabulary made of them would be another one.
  const first = await runHere({ config: textConfig(vae, { ...still, data: { seed: 9, count: 64 } }), root });
  assert.ok(first.last.type === 'ended', JSON.stringify(first.last));
  const teacher = path.join(first.folder, 'teacher');
  for (const file of [weightFile, path.join('tokenizer', 'vocab.json'), path.join('tokenizer', 'merges.txt')]) {
    assert.equal(bytes(teacher, file), bytes(initialText, file), file);
  }

  const other = await runHere({ config: textConfig(vae, { seed: 77 }), root });
  const initial = path.join(other.folder, 'teacher');
  const both = await runHere({ config: textConfig(vae, { ...still, initial }), root });
  assert.ok(both.last.type === 'ended', JSON.stringify(both.last));
  const unet = path.join('unet', 'diffusion_pytorch_model.safetensors');
  assert.equal(bytes(both.folder, 'teacher', unet), bytes(initial, unet));
  assert.equal(bytes(both.folder, 'teacher', weightFile), bytes(initialText, weightFile));
  assert.notEqual(bytes(both.folder, 'teacher', weightFile), bytes(initial, weightFile));
});

test('a folder that is none, and layers that do not go together, are refused by name', async () => {
  const vae = path.join((await runHere({ config: autoencoderConfig({ iterations: 1 }), root })).folder, 'vae');
  const missing = await runHere({ config: textConfig(vae, { initialText: vae }), root });
  assert.ok(missing.last.type === 'failed' && missing.last.error.kind !== 'bug', JSON.stringify(missing.last));
  assert.match(missing.last.error.message, /has no tokenizer/);
  const own = path.join((await runHere({ config: textEncoderConfig(), root })).folder, 'text');
  const wide = { hidden_size: 16, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2 };
  const sizes = await runHere({ config: textConfig(vae, { initialText: own, text_encoder: wide }), root });
  assert.ok(sizes.last.type === 'failed' && sizes.last.error.kind === 'weights', JSON.stringify(sizes.last));
  const groups = { channels: [4, 6], norm_num_groups: 4 };
  const odd = await runHere({ config: textEncoderConfig({ image_encoder: groups }), root });
  assert.ok(odd.last.type === 'failed' && odd.last.error.kind === 'config', JSON.stringify(odd.last));
  assert.match(odd.last.error.message, /image_encoder\.channels: 6 channels do not divide into 4 groups/);
});
