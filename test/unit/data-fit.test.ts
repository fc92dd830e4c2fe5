/** Pictures made to fit a network: padded, resized, gray for colours and the other way. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fitProblem, fitted } from '../../backend/data/fit.ts';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { idx } from '../idx.ts';
import { randomBelow, uniform } from '../random.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-fit-'));
after(() => rmSync(root, { recursive: true }));

const random = (size: number) => Float32Array.from({ length: size }, () => 2 * uniform() - 1);

test('padding keeps every number and adds black, an odd row below and an odd column to the right', () => {
  const [count, channels, height, width] = [2, 3, 3, 4];
  const images = { shape: [count, channels, height, width], data: random(count * channels * height * width) };
  const out = fitted(images, [channels, 6, 7], 'pad');
  assert.deepEqual(out.shape, [count, channels, 6, 7]);
  out.data.forEach((value, i) => {
    const [plane, y, x] = [Math.floor(i / 42), Math.floor(i / 7) % 6, i % 7];
    const isInside = y >= 1 && y < 1 + height && x >= 1 && x < 1 + width;
    assert.equal(value, isInside ? images.data[(plane * height + y - 1) * width + x - 1] : -1, `${y}, ${x}`);
  });
});

test('resizing keeps an even picture even, and stays within black and white', () => {
  for (const to of [3, 4, 9, 20]) {
    const even = fitted({ shape: [1, 1, 7, 7], data: new Float32Array(49).fill(0.25) }, [1, to, to], 'resize');
    for (const value of even.data) assert.ok(Math.abs(value - 0.25) < 1e-6);
    const checks = Float32Array.from({ length: 49 }, (_, i) => (i % 2 ? 1 : -1));
    const hard = fitted({ shape: [1, 1, 7, 7], data: checks }, [1, to, to], 'resize');
    assert.ok(hard.data.every((value) => value >= -1 && value <= 1));
  }
  const ramp = Float32Array.from({ length: 16 * 16 }, (_, i) => (i % 16) / 8 - 1);
  const { data: row } = fitted({ shape: [1, 1, 16, 16], data: ramp }, [1, 8, 8], 'resize');
  assert.ok(Math.abs(row[4]! - row[3]! - 0.25) < 1e-3, 'two steps of the ramp between two of its pixels');
});

test('gray becomes three equal channels, and colours their luma', () => {
  const gray = { shape: [2, 1, 2, 2], data: random(8) };
  const three = fitted(gray, [3, 2, 2], 'resize');
  for (let c = 0; c < 3; c++) assert.deepEqual(three.data.slice(4 * c, 4 * c + 4), gray.data.slice(0, 4));
  const back = fitted(three, [1, 2, 2], 'pad');
  back.data.forEach((value, i) => {
    assert.ok(Math.abs(value - gray.data[i]!) < 1e-6);
  });
  const green = { shape: [1, 3, 1, 1], data: Float32Array.of(-1, 1, -1) };
  assert.ok(Math.abs(fitted(green, [1, 1, 1], 'pad').data[0]! - (2 * 0.587 - 1)) < 1e-6);
});

test('what cannot fit is said', async () => {
  assert.match(fitProblem([1, 28, 28], [1, 16, 32], 'pad'), /28 x 28 cannot be padded to 32 x 16/);
  assert.equal(fitProblem([1, 28, 28], [1, 16, 32], 'resize'), '');
  assert.match(fitProblem([1, 28, 28], [2, 32, 32], 'pad'), /1 channel or 3, not 2/);
  const folder = join(root, 'idx');
  mkdirSync(folder);
  const pixels = Uint8Array.from({ length: 36 }, () => randomBelow(256));
  writeFileSync(join(folder, 'train-images-idx3-ubyte'), idx([4, 3, 3], pixels));
  await assert.rejects(openImageDataset(folder, { fit: { how: 'pad', shape: [1, 2, 2] } }), {
    kind: 'data',
    message: /idx: pictures of 3 x 3 cannot be padded/,
  });
  const set = await openImageDataset(folder, { fit: { how: 'pad', shape: [3, 4, 4] } });
  assert.deepEqual([set.count, set.shape], [4, [3, 4, 4]]);
  const { images } = await set.batch([3, 1]);
  assert.deepEqual(images.shape, [2, 3, 4, 4]);
  assert.equal(images.data[0], Math.fround(pixels[27]! / 127.5 - 1));
});
