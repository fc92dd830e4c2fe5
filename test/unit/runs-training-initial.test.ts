/** Teaching from earlier weights: they are what the first step starts from, and others than the network's are refused. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openModel } from '../../backend/models/model-file.ts';
import { configKey } from '../../backend/weights/load.ts';
import { readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';
import { distillConfig, runHere, scratch, teachConfig, tinyTeacher } from './training/tiny.ts';
import { checkpoint, scaled, under } from './weights/state-dicts.ts';

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

/** The weights of a model file as other programs keep them: a bare state dict under a name that its training gave it. */
async function bareOf(model: string, prefix: string): Promise<string> {
  const { tensors } = await readSafetensors(model);
  const file = path.join(path.dirname(model), 'bare.safetensors');
  await writeSafetensors(
    file,
    Array.from(tensors, ([name, tensor]) => [prefix + name, tensor] as const),
  );
  return file;
}

test('a bare state dict is enough, since the config says the network', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root, { label_dim: 10 });
  const initial = await bareOf(teacher, 'module._orig_mod.');
  const { last } = await runHere({ config: teachConfig({ initial, iterations: 1, optimizer: { lr: 0 } }), root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const after = (await readSafetensors(last.files[0]!)).tensors;
  for (const [name, { data }] of (await readSafetensors(teacher)).tensors) {
    assert.deepEqual(after.get(name)?.data, data, name);
  }
});

test("a bare teacher distills to the same bits as the file that says its network, whose metadata is the config's network", async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const { metadata } = await readSafetensors(teacher);
  const network = JSON.parse(metadata[configKey]!) as Record<string, unknown>;
  assert.equal(network.sigma_max, null, 'JSON has no infinity');
  const results: Uint8Array[] = [];
  for (const change of [{}, { teacher: await bareOf(teacher, ''), network }]) {
    const config = distillConfig(teacher, { iterations: 2, ...change });
    const { last } = await runHere({ config, root: path.join(root, `runs${results.length}`) });
    assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
    const { tensors } = await readSafetensors(last.files.find((file) => file.endsWith('generator.safetensors'))!);
    results.push(Buffer.concat(Array.from(tensors.values(), ({ data }) => new Uint8Array(data.buffer))));
  }
  assert.ok(results[0]!.length > 1000);
  assert.deepEqual(results[1], results[0]);
  const { last } = await runHere({ config: distillConfig(await bareOf(teacher, '')), root: path.join(root, 'none') });
  assert.ok(last.type === 'failed');
  assert.match(`${last.error.message} ${last.error.hint}`, /does not say which network .*'network'/);
});

test('of a checkpoint the set that fits the network is taken, averaged first, and whole numbers are refused', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const { network, weights } = await openModel(teacher);
  const state = new Map(weights);
  const [small] = [...weights];
  const file = path.join(root, 'checkpoint.pt');
  fs.writeFileSync(
    file,
    checkpoint({ loss: new Map([small!]), thing: under('module.', state), critic: scaled(state, 3) }),
  );
  await assert.rejects(openModel(file, { network: network.config }), /several sets of weights, thing and critic/);
  fs.writeFileSync(file, checkpoint({ loss: new Map([small!]), thing: under('module.', state) }));
  const taken = await openModel(file, { network: network.config });
  assert.equal(taken.key, 'thing');
  assert.deepEqual([...taken.weights], [...weights]);
  fs.writeFileSync(file, checkpoint({ net: scaled(state, 2), net_ema: state }));
  assert.deepEqual([...(await openModel(file, { network: network.config })).weights], [...weights]);
  assert.deepEqual(
    [...(await openModel(file, { network: network.config, key: 'net' })).weights],
    [...scaled(state, 2)],
  );
  const { tensors, metadata } = await readSafetensors(teacher);
  const [name, { shape, data }] = small!;
  const whole = { dtype: 'I64' as const, shape, data: BigInt64Array.from(data, (value) => BigInt(Math.round(value))) };
  await writeSafetensors(file, new Map([...tensors, [name, whole]]), { metadata });
  await assert.rejects(openModel(file), {
    kind: 'weights',
    message: new RegExp(`${name} holds whole numbers \\(I64\\)`),
  });
});
