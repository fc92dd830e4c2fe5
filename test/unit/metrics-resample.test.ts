/** Resizing, against what Pillow and PyTorch recorded (test/golden/record/resample.py). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { byteOf, inceptionImages } from '../../backend/metrics/inception/preprocess.ts';
import { type Filter, resample } from '../../backend/metrics/resample.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';

const file = fileURLToPath(new URL('../golden/resample/io.safetensors', import.meta.url));
const recorded = new Map([...(await readSafetensors(file)).tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));

const largestGap = (a: TensorData, b: TensorData) => {
  assert.deepEqual([...a.shape], [...b.shape]);
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0);
};

for (const filter of ['bilinear', 'bilinear-corner', 'bicubic'] as const satisfies readonly Filter[]) {
  test(`${filter}: larger, smaller, much smaller, one side kept`, () => {
    for (const k of [0, 1, 2, 3]) {
      const expected = recorded.get(`${k}.${filter}`)!;
      const [height, width] = expected.shape.slice(-2);
      const gap = largestGap(resample(recorded.get(`${k}.picture`)!, height!, width!, filter), expected);
      assert.ok(gap < 1e-4, `size ${k}: off by ${gap} of 255`);
    }
  });
}

test('bicubic on bytes is exactly that of Pillow', () => {
  for (const k of [0, 1, 2, 3]) {
    const expected = recorded.get(`${k}.bicubic-bytes`)!;
    const [height, width] = expected.shape.slice(-2);
    const resized = resample(recorded.get(`${k}.picture`)!, height!, width!, 'bicubic', { bytes: true });
    assert.equal(largestGap(resized, expected), 0, `size ${k}`);
  }
});

test('the three ways to the network: bytes first, each with its own black and its own filter', () => {
  const side = 299;
  const picture = { shape: [1, 3, side, side], data: new Float32Array(3 * side * side).fill(-1) };
  picture.data.fill(2, 0, 10); // beyond white: cut off
  picture.data[20] = 0.0011; // 128.14 of 255: byte 128
  const values = (kind: 'pytorch-fid' | 'clean-fid' | 'edm') => {
    const { shape, data } = inceptionImages(picture, kind);
    assert.deepEqual(shape, [1, 3, side, side]);
    return [data[0]!, data[20]!, data[100]!];
  };
  const f = Math.fround;
  assert.deepEqual(values('pytorch-fid'), [1, f(128 / 127.5 - 1), -1]);
  assert.deepEqual(values('edm'), [127 / 128, 0, -1]);
  assert.deepEqual(values('clean-fid'), [127 / 128, 0, -1]);
  assert.deepEqual([-2, -1, 0, 1, 2].map(byteOf), [0, 0, 128, 255, 255]);
});

test('small pictures: an overshoot is cut off, grey becomes three equal channels', () => {
  const grey = { shape: [2, 1, 2, 2], data: Float32Array.of(-1, 1, -1, 1, 0, 0, 0, 0) };
  const { shape, data } = inceptionImages(grey, 'clean-fid');
  assert.deepEqual(shape, [2, 3, 299, 299]);
  const plane = 299 * 299;
  assert.equal(Math.min(...data.subarray(0, plane)), -1);
  assert.equal(Math.max(...data.subarray(0, plane)), Math.fround(127 / 128));
  assert.deepEqual(data.slice(0, plane), data.slice(2 * plane, 3 * plane));
  // The corner rule takes output i from i * 2 / 299, so its left half lies further left than with centred pixels.
  const [centred, corner] = (['pytorch-fid', 'edm'] as const).map((kind) => inceptionImages(grey, kind).data);
  assert.equal(centred![0], -1);
  assert.ok(Math.abs(corner![100]! - ((200 / 299) * 255 - 128) / 128) < 1e-6);
  assert.ok(Math.abs(centred![150]! - ((((150.5 * 2) / 299 - 0.5) * 255) / 127.5 - 1)) < 1e-6);
  assert.throws(() => inceptionImages({ shape: [1, 2, 2, 2], data: new Float32Array(8) }, 'edm'), /1 or 3/);
});
