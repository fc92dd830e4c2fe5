import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { decodePng, encodePng, headerBytes, imageGrid, pngShape, readPngText, toByte } from '../../backend/data/png.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';

/** Uniform in [-1.1, 1.1]: some numbers must be clipped. */
function picture(shape: number[], seed: number) {
  const numbers = shape.reduce((product, dim) => product * dim, 1);
  return tensorData(
    shape,
    new TorchGenerator(seed).rand(numbers).map((u) => 2.2 * u - 1.1),
  );
}

test('bytes are rounded as in generate.py', () => {
  const pairs: [number, number][] = [
    [-1, 0],
    [1, 255],
    [0, 128],
    [-2, 0],
    [7, 255],
    [-0.0001, 127],
    [0.5, 191],
    [Number.NaN, 0],
  ];
  for (const [x, byte] of pairs) assert.equal(toByte(x), byte, `${x}`);
});

test('an image survives as a PNG up to the quantisation', () => {
  for (const shape of [
    [3, 5, 7],
    [1, 4, 9],
  ]) {
    const image = picture(shape, 3);
    const back = decodePng(encodePng(image));
    assert.deepEqual(back.shape, shape);
    for (const [i, value] of image.data.entries()) {
      const clipped = Math.min(1, Math.max(-1, value));
      assert.ok(Math.abs(back.data[i]! - clipped) <= 1 / 127.5, `${value} came back as ${back.data[i]}`);
      assert.equal(toByte(back.data[i]!), toByte(value), 'a second round trip changes nothing');
    }
  }
});

test('text of any script comes back, and the file stays a valid PNG', () => {
  const text = { run: 'runs/a b', seed: '7', prompt: 'ein roter Kreis – 赤い円\nzweite Zeile', empty: '' };
  const image = picture([3, 6, 6], 9);
  const png = encodePng(image, text);
  assert.deepEqual(readPngText(png), text);
  assert.deepEqual(decodePng(png), decodePng(encodePng(image)), 'the decoder checks every CRC');
  assert.deepEqual(readPngText(encodePng(image)), {});
});

test('the pixels of the file are filtered rows of RGB bytes', () => {
  // A constant image read with nothing but zlib, so that encoder and decoder cannot be wrong together.
  const png = Buffer.from(encodePng(tensorData([3, 1, 1], Float32Array.of(-1, 0, 1))));
  const data = png.indexOf('IDAT');
  const row = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)));
  assert.deepEqual([...row.subarray(-3)], [0, 128, 255]);
});

test('a grid has each image at its place and white gaps', () => {
  const images = picture([5, 3, 2, 4], 1);
  const grid = imageGrid(images, 3, 2);
  assert.deepEqual(grid.shape, [3, 2 * 4 - 2, 3 * 6 - 2]);
  const [, height, width] = grid.shape as [number, number, number];
  let fromImages = 0;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const n = Math.floor(y / 4) * 3 + Math.floor(x / 6);
        const inside = y % 4 < 2 && x % 6 < 4 && n < 5;
        const expected = inside ? images.data[((n * 3 + c) * 2 + (y % 4)) * 4 + (x % 6)] : 1;
        assert.equal(grid.data[(c * height + y) * width + x], expected);
        if (inside) fromImages++;
      }
    }
  }
  assert.equal(fromImages, images.data.length);
});

test('the first bytes of a file tell the shape that it decodes to', () => {
  for (const shape of [
    [3, 5, 7],
    [1, 4, 9],
    [3, 1, 300],
  ]) {
    const png = encodePng(picture(shape, 4), { prompt: 'x' });
    assert.deepEqual(pngShape(png.subarray(0, headerBytes)), shape);
    assert.deepEqual(decodePng(png).shape, shape);
  }
  const png = Buffer.from(encodePng(picture([3, 2, 2], 4)));
  for (const [at, value, words] of [
    [24, 16, /16 bits/],
    [25, 6, /alpha/],
    [25, 5, /kind of colour 5/],
    [1, 0, /not a PNG/],
    [19, 0, /0 x 2/],
  ] as const) {
    const changed = Buffer.from(png);
    changed[at] = value;
    assert.throws(() => pngShape(changed), words);
    assert.throws(() => decodePng(changed), words);
  }
});

test('a picture of the wrong rank is refused', () => {
  assert.throws(() => encodePng(tensorData([2, 2, 2], new Float32Array(8))), /\[1 or 3, H, W\], got \[2, 2, 2\]/);
});
