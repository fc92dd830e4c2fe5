/** Teaching from earlier weights: they are what the first step starts from, and others than the network's are refused. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { runHere, scratch, teachConfig, tinyTeacher } from './training/tiny.ts';

test('with a rate of 0 the trained weights are those that it began with, and the averaged ones too', async () => {
  const root = scratch();
  const initial = await tinyTeacher(root, { label_dim: 10 });
  const still = { initial, iterations: 2, optimizer: { lr: 0 }, ema: 0.5 };
  const { last } = await runHere({ config: teachConfig(still), root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const before = (await readSafetensors(initial)).tensors;
  const after = (await readSafetensors(last.files[0]!)).tensors;
  assert.ok(before.size > 10);
  for (const [name, { data }] of before) assert.deepEqual(after.get(name)?.data, data, name);
});

test('a model with another network is refused by its path, before anything is written', async () => {
  const root = scratch();
  const initial = await tinyTeacher(root, { label_dim: 10, model_channels: 16 });
  const { last } = await runHere({ config: teachConfig({ initial }), root: path.join(root, 'runs') });
  assert.ok(last.type === 'failed' && last.folder === null);
  assert.equal(last.error.kind, 'config');
  assert.match(last.error.message, /initial: .*teacher\.safetensors/);
});
