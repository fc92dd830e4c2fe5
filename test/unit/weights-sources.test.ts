/** Files of any size: written from numbers that come in slices, read by need; float16 too, and errors name file and tensor. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { test } from 'node:test';
import { type ArraySource, collect, sliceSize, sourceOf, storedSlices } from '../../backend/weights/array-source.ts';
import { encodeSafetensors, readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';
import { openStoredArrays } from '../../backend/weights/safetensors-stored.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';
import { uniform } from '../random.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();

/** `numbers` in slices of random lengths, each poisoned once the next one is asked for. */
function uneven(shape: readonly number[], numbers: Float32Array): ArraySource {
  async function* slices() {
    for (let at = 0; at < numbers.length; ) {
      const slice = numbers.slice(at, at + Math.floor(uniform() * (numbers.length / 3)));
      at += slice.length;
      yield slice;
      slice.fill(Number.NaN);
    }
  }
  return { shape, slices };
}

const random = (count: number) => Float32Array.from({ length: count }, () => uniform() - 0.5);

test('sources are written as the same arrays in memory are, float16 too, and hashed on the way', async () => {
  const [a, b] = [random(3 * 1001), random(77)];
  const arrays = [
    ['a', { shape: [3, 1001], data: a }],
    ['halves', { dtype: 'F16', shape: [2], data: Uint16Array.of(1, 2) }],
    ['b', { shape: [77], data: b }],
    ['none', { shape: [0, 3], data: new Float32Array(0) }],
  ] as const;
  for (const dtype of ['F32', 'F16'] as const) {
    const path = scratch.path(`${dtype}.safetensors`);
    const sources = [
      ['a', uneven([3, 1001], a)],
      arrays[1],
      ['b', uneven([77], b)],
      ['none', uneven([0, 3], new Float32Array(0))],
    ] as const;
    const options = { dtype, metadata: { note: 'x' } };
    const written = await writeSafetensors(path, sources, options);
    const bytes = await readFile(path);
    assert.deepEqual(bytes, Buffer.from(encodeSafetensors(arrays, options)));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    assert.deepEqual(written, { bytes: bytes.length, sha256 });
  }
});

test('a source that is too short, too long or beyond float16 leaves the old file and no debris', async () => {
  const path = scratch.path('kept.safetensors');
  await writeSafetensors(path, [['w', { shape: [1], data: random(1) }]]);
  const before = await readFile(path);
  const names = await readdir(scratch.path());
  const numbers = random(1000);
  const write = (source: ArraySource) => writeSafetensors(path, [['w', source]], { dtype: 'F16' });
  await assert.rejects(write(uneven([1001], numbers)), /w \[1001\] holds 1000 numbers/);
  await assert.rejects(write(uneven([10, 5], numbers)), /w \[10, 5\] holds \d+ numbers/);
  numbers[990] = -70_000;
  await assert.rejects(write(uneven([1000], numbers)), refusal(/kept\.safetensors: w holds -70000/));
  assert.deepEqual(await readFile(path), before);
  assert.deepEqual(await readdir(scratch.path()), names);
});

test('stored numbers are read by need, in whatever dtype they lie there', async () => {
  const path = scratch.path('stored.safetensors');
  const numbers = random(4 * 25);
  await writeSafetensors(path, [
    ['w', { shape: [4, 25], data: numbers }],
    ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 255) }],
    ['halves', { dtype: 'F16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 1) }],
  ]);
  const stored = await openStoredArrays(path);
  assert.deepEqual(stored.names.toSorted(), ['bytes', 'halves', 'w']);
  assert.deepEqual(stored.shape('w'), [4, 25]);
  assert.equal(stored.shape('v'), undefined);
  assert.equal(stored.shape('constructor'), undefined);
  assert.deepEqual(await stored.read('w', 13, 61), numbers.subarray(13, 61));
  assert.deepEqual([...(await stored.read('halves', 1, 3))], [-2, 2 ** -24]);
  assert.deepEqual([...(await stored.read('bytes', 2, 3))], [255]);
  assert.deepEqual([...(await stored.read('w', 100, 100))], []);
  for (const [start, end] of [
    [-1, 2],
    [3, 2],
    [0, 101],
    [Number.NaN, 2],
  ]) {
    await assert.rejects(stored.read('w', start, end), /numbers .* of .*stored\.safetensors: w, which has 100/);
  }
});

test('a stored tensor that is not there, or no longer, is named with its file', async () => {
  const path = scratch.path('lost.safetensors');
  await writeSafetensors(path, [['w', { shape: [50], data: random(50) }]]);
  const stored = await openStoredArrays(path);
  await assert.rejects(stored.read('v', 0, 1), refusal(/lost\.safetensors: it has no tensor 'v'/));
  await appendFile(path, 'x');
  await assert.rejects(stored.read('w', 0, 1), refusal(/lost\.safetensors: tensor 'w' cannot be read: the file has/));
  await truncate(path, 150);
  await assert.rejects(stored.read('w', 0, 1), refusal(/tensor 'w' cannot be read/));
  await rm(path);
  await assert.rejects(stored.read('w', 0, 1), refusal(/lost\.safetensors: no such file/));
});

test('slices of a stored tensor and of an array are the whole in order, none larger than the limit', async () => {
  const count = 2 * sliceSize + 3;
  const data = new Float32Array(count).map((_, i) => i % 65_537);
  const path = scratch.path('large.safetensors');
  await writeSafetensors(path, [['w', sourceOf({ shape: [count], data })]]);
  const stored = await openStoredArrays(path);
  for (const slices of [storedSlices(stored, 'w'), sourceOf({ shape: [count], data }).slices()]) {
    const lengths: number[] = [];
    const whole = await collect({ shape: [count], slices: () => counted(slices, lengths) });
    assert.deepEqual(lengths, [sliceSize, sliceSize, 3]);
    assert.equal(Buffer.compare(Buffer.from(whole.data.buffer), Buffer.from(data.buffer)), 0);
  }
  const part = storedSlices(stored, 'w', sliceSize - 5, 2 * sliceSize + 1);
  const { data: middle } = await collect({ shape: [sliceSize + 6], slices: () => part });
  const wanted = data.slice(sliceSize - 5, 2 * sliceSize + 1);
  assert.equal(Buffer.compare(Buffer.from(middle.buffer), Buffer.from(wanted.buffer)), 0);
  assert.deepEqual(toFloat32((await readSafetensors(path)).tensors.get('w')!).data.length, count);
});

async function* counted(slices: AsyncIterable<Float32Array>, lengths: number[]) {
  for await (const slice of slices) {
    lengths.push(slice.length);
    yield slice;
  }
}
