/** The recorded PyTorch and EDM files: every tensor bit for bit, every hostile or damaged file refused by name. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { readEdmSnapshot } from '../../backend/weights/edm-snapshot.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { selectTensors } from '../../backend/weights/select.ts';
import { type StoredTensor, toFloat32 } from '../../backend/weights/stored-tensor.ts';
import { readTorchFile } from '../../backend/weights/torch/read.ts';
import { readCaseJson } from './read-case.ts';

const file = (name: string) => fileURLToPath(new URL(`cases/pickles/${name}`, import.meta.url));

interface Case {
  files: Record<string, string>;
  tensors: Record<string, { dtype: string; shape: number[] }>;
  config: { net: Record<string, unknown> };
}
const recorded = readCaseJson<Case>('pickles');

/** Same names, shapes and bits. */
function assertSame(actual: ReadonlyMap<string, TensorData>, expected: ReadonlyMap<string, StoredTensor>) {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [name, tensor] of expected) {
    const { shape, data } = toFloat32(tensor);
    const got = actual.get(name) as TensorData;
    assert.deepEqual(got.shape, shape, name);
    assert.deepEqual(Buffer.from(got.data.buffer), Buffer.from(data.buffer), name);
    assert.equal(got.data.byteOffset, 0, name);
  }
}

for (const name of ['network-snapshot.pkl', 'network-snapshot-full.pkl']) {
  test(`${name}: the network, by the names of its state dict`, async () => {
    const expected = await readSafetensors(file('network-snapshot.expected.safetensors'));
    const { tensors, config, format } = await loadWeights(file(name));
    assert.equal(format, 'edm-snapshot');
    assertSame(tensors, expected.tensors);
    assert.deepEqual(config, recorded.config.net);
  });
}

test('the snapshot says its class and what else it holds', async () => {
  const snapshot = await readEdmSnapshot(file('network-snapshot-full.pkl'));
  assert.equal(snapshot.className, 'EDMPrecond');
  assert.deepEqual(snapshot.otherKeys, ['loss_fn', 'augment_pipe', 'dataset_kwargs']);
  assert.equal(snapshot.tensors.get('model.map_noise.weight'), undefined);
  assert.deepEqual(snapshot.tensors.get('model.enc.8x8_conv.weight')?.shape, [8, 3, 3, 3]);
  assert.deepEqual((await readEdmSnapshot(file('network-snapshot.pkl'))).otherKeys, []);
});

test('a network built from the snapshot alone finds every parameter', async () => {
  const { tensors, config } = await loadWeights(file('network-snapshot.pkl'));
  const expected = new Map(createNetwork(config).layout.entries.map(({ name, shape }) => [name, shape]));
  assert.ok(expected.size > 100);
  assert.deepEqual([...selectTensors(tensors, expected, 'snapshot').keys()], [...expected.keys()]);
});

for (const [name, format] of [
  ['state-zip.bin', 'torch-zip'],
  ['state-legacy.bin', 'torch-legacy'],
  ['checkpoint-zip.bin', 'torch-zip'],
] as const) {
  test(`${name}: every dtype and stride`, async () => {
    const { tensors } = await readSafetensors(file('state.expected.safetensors'));
    const loaded = await loadWeights(file(name));
    assert.equal(loaded.format, format);
    assert.equal(loaded.config, undefined);
    assertSame(loaded.tensors, tensors);
    const stored = (await readTorchFile(file(name))).tensors;
    const dtypes: Record<string, string> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16', float64: 'F64' };
    const integers: Record<string, string> = { int64: 'I64', uint8: 'U8', bool: 'BOOL' };
    for (const [key, { dtype, shape }] of Object.entries(recorded.tensors)) {
      assert.equal(stored.get(key)?.dtype, { ...dtypes, ...integers }[dtype], key);
      assert.deepEqual(stored.get(key)?.shape, shape, key);
    }
  });
}

test('where the state dict was in the checkpoint is said', async () => {
  assert.deepEqual((await readTorchFile(file('checkpoint-zip.bin'))).path, ['state_dict']);
  assert.deepEqual((await readTorchFile(file('state-zip.bin'))).path, []);
});

test('ok-handmade.bin, the control', async () => {
  const { tensors } = await loadWeights(file('ok-handmade.bin'));
  assert.deepEqual(tensors, new Map([['w', { shape: [2, 4], data: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7) }]]));
});

const hostile: Record<string, RegExp> = {
  'evil-system.pkl': /asks for posix\.system/,
  'evil-system-proto0.pkl': /asks for posix\.system/,
  'evil-system-zip.bin': /asks for posix\.system/,
  'evil-huge-storage.bin': /data\/0 has 32 bytes, not the 4398046511104 it claims/,
  'evil-view-out-of-bounds.bin': /shape \[4, 4\].*offset 3 reaches past its storage of 8/,
  'evil-negative-size.bin': /size -2/,
  'evil-truncated.pkl': /cut off/,
  'evil-truncated-zip.bin': /damaged or cut off/,
  'evil-truncated-legacy.bin': /ends early/,
};

test('every hostile file of the case is known here', () => {
  const names = readdirSync(file('')).filter((name) => name.startsWith('evil-'));
  assert.deepEqual(names.sort(), Object.keys(hostile).sort());
});

for (const [name, message] of Object.entries(hostile)) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(loadWeights(file(name)), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.kind, 'weights');
      assert.ok(error.message.startsWith(`${file(name)}: `), error.message);
      assert.match(error.message, message);
      return true;
    });
  });
}
