/** What is asked of one tensor of a file: numbers against those computed from the whole, in every dtype, in any cut. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { countWeights, describeWeights, readWeights } from '../../backend/protocol/rpc/index.ts';
import { guessAxes, seenBy } from '../../backend/protocol/values/axes.ts';
import { mostShown, statistic } from '../../backend/protocol/values/value.ts';
import { registerWeights } from '../../backend/server/weights/index.ts';
import type { StoredArrays } from '../../backend/weights/array-source.ts';
import { writeSafetensors } from '../../backend/weights/safetensors.ts';
import { storedTensor } from '../../backend/weights/stored-tensor.ts';
import { cutOf, fitsShape } from '../../backend/weights/tensor-numbers.ts';
import { randomBelow } from '../random.ts';
import { playBoth } from './server/connect.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-weights-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

async function asking<T>(work: (client: ReturnType<typeof playBoth>['client']) => Promise<T>): Promise<T> {
  const { client, server } = playBoth();
  registerWeights(server);
  server.listen();
  try {
    return await work(client);
  } finally {
    await server.end((error) => assert.fail(String(error)));
  }
}

const shape = [3, 5, 7];
const values = Float32Array.from({ length: 105 }, () => randomBelow(2001) / 1000 - 1);
values[4] = Number.NaN;
values[40] = Number.POSITIVE_INFINITY;
values[41] = Number.POSITIVE_INFINITY;
values[77] = Number.NEGATIVE_INFINITY;
values[100] = 0;
const file = path.join(folder, 'weights.safetensors');
const deep = [2, 3, 1, 2, 1, 2];
await writeSafetensors(
  file,
  [
    ['net.weight', tensorData(shape, values)],
    ['net.counts', storedTensor('I64', [4], BigInt64Array.of(1n, -2n, 3n, 0n).buffer)],
    [
      'net.deep',
      tensorData(
        deep,
        Float32Array.from({ length: 24 }, (_, i) => i),
      ),
    ],
    ['net.none', tensorData([0, 3], new Float32Array())],
  ],
  { metadata: { step: '12' } },
);

test('a file says its tensors, their shapes and dtypes, and its metadata', () =>
  asking(async (client) => {
    const { bytes, metadata, tensors } = await client.request(describeWeights, { path: file });
    assert.equal(bytes, fs.statSync(file).size);
    assert.deepEqual(metadata, { step: '12' });
    assert.deepEqual(
      new Map(tensors.map((one) => [one.name, [one.dtype, one.shape]])),
      new Map<string, unknown>([
        ['net.counts', ['I64', [4]]],
        ['net.weight', ['F32', shape]],
        ['net.deep', ['F32', deep]],
        ['net.none', ['F32', [0, 3]]],
      ]),
    );
  }));

test('statistics are those of the finite numbers, and the others are counted', () =>
  asking(async (client) => {
    const ask = { path: file, name: 'net.weight', shape: null, count: true, cut: null };
    const value = await client.request(readWeights, ask);
    const finite = [...values].filter(Number.isFinite);
    const mean = finite.reduce((sum, one) => sum + one, 0) / finite.length;
    const std = Math.sqrt(finite.reduce((sum, one) => sum + (one - mean) ** 2, 0) / finite.length);
    for (const [name, expected] of Object.entries({
      ...{ count: 105, min: Math.min(...finite), max: Math.max(...finite), mean, std },
      ...{ nan: 1, above: 2, below: 1, zero: finite.filter((one) => one === 0).length },
    })) {
      const got = statistic(value, name as never);
      assert.ok(Math.abs(got - expected) < 1e-12, `${name}: ${got}, not ${expected}`);
    }
    assert.equal(value.numbers, null);
    const whole = await client.request(readWeights, { ...ask, name: 'net.counts' });
    assert.deepEqual([statistic(whole, 'min'), statistic(whole, 'max'), statistic(whole, 'zero')], [-2, 3, 1]);
    const none = await client.request(readWeights, { ...ask, name: 'net.none' });
    assert.deepEqual([statistic(none, 'count'), statistic(none, 'mean')], [0, Number.NaN]);
  }));

test('a histogram counts what lies in its range, both ends included', () =>
  asking(async (client) => {
    const range = { low: -0.5, high: 0.5, bins: 4 };
    const { counts } = await client.request(countWeights, { path: file, name: 'net.weight', ...range });
    const expected = [0, 0, 0, 0];
    for (const one of values) {
      if (one >= -0.5 && one <= 0.5) expected[Math.min(3, Math.floor((one + 0.5) * 4))]!++;
    }
    assert.deepEqual([...counts], expected);
    const single = await client.request(countWeights, { path: file, name: 'net.counts', low: 3, high: 3, bins: 2 });
    assert.deepEqual([...single.counts], [1, 0]);
  }));

test('a cut has the numbers that are seen, and only the parts of a large tensor in which they lie are read', async () => {
  const big = [2, 1500, 2000];
  const read: [number, number][] = [];
  const stored: StoredArrays = {
    names: ['big'],
    shape: () => big,
    read: async (_, from, to) => {
      read.push([from, to]);
      return Float32Array.from({ length: to - from }, (__, i) => (from + i) % 9973);
    },
  };
  const at = [randomBelow(2)];
  const { cut, height, width, step } = seenBy(big, ['index', 'rows', 'columns'], at, 1 << 16);
  const numbers = await cutOf(stored, 'big', big, cut);
  assert.equal(numbers.length, height * width);
  for (let row = 0; row < height; row++) {
    const [column, y] = [randomBelow(width), row * step];
    assert.equal(numbers[row * width + column], (at[0]! * 3e6 + y * 2000 + column * step) % 9973);
  }
  assert.ok(read.every(([from, to]) => to - from <= 2 ** 20 && from >= at[0]! * 3e6 && to <= (at[0]! + 1) * 3e6));
});

test('of more than five axes the first are one, another shape is another view, and what does not fit is refused', () =>
  asking(async (client) => {
    const ask = { path: file, name: 'net.deep', shape: null as number[] | null, count: false, cut: null };
    const { shape: five } = await client.request(readWeights, ask);
    assert.deepEqual(five, [6, 1, 2, 1, 2]);
    const asked = [4, 6];
    const { cut } = seenBy(asked, guessAxes(asked), [], mostShown);
    const { numbers } = await client.request(readWeights, { ...ask, shape: asked, cut });
    assert.deepEqual(
      [...numbers!],
      Array.from({ length: 24 }, (_, i) => i),
    );
    await assert.rejects(client.request(readWeights, { ...ask, shape: [5, 5] }), /24 numbers.*5 x 5 has 25/);
    await assert.rejects(client.request(readWeights, { ...ask, name: 'gone' }), /has no tensor 'gone'/);
    await assert.rejects(client.request(describeWeights, { path: 'weights.safetensors' }), /no whole path/);
    assert.equal(fitsShape([4, 6], { at: [null, 6], step: [1, 1], order: [0] }), false);
    assert.equal(fitsShape([4, 6], { at: [null, 5], step: [1, 1], order: [0] }), true);
    assert.equal(fitsShape([4, 6], { at: [null, null], step: [1, 1], order: [0, 0] }), false);
    assert.equal(fitsShape([4, 6], { at: [null, null], step: [1, 1], order: [0, 2] }), false);
  }));

test('a damaged file is answered in words that name it', () =>
  asking(async (client) => {
    const cut = path.join(folder, 'cut.safetensors');
    fs.writeFileSync(cut, fs.readFileSync(file).subarray(0, -8));
    await assert.rejects(client.request(describeWeights, { path: cut }), /cut[.]safetensors.*the file is cut off/);
    const text = path.join(folder, 'text.safetensors');
    fs.writeFileSync(text, 'version https://git-lfs.github.com/spec/v1\n');
    await assert.rejects(client.request(describeWeights, { path: text }), /text[.]safetensors/);
    await assert.rejects(client.request(describeWeights, { path: path.join(folder, 'gone.safetensors') }), /gone/);
  }));
