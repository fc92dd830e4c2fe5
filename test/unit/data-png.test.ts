import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import CRC32 from 'crc-32';
import { decodePng, encodePng, headerBytes, imageGrid, pngShape, toByte } from '../../backend/data/png.ts';
import { readPngText } from '../../backend/data/png-text.ts';
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

interface Recorded {
  readonly pictures: readonly { name: string; png: string; shape: number[]; bytes: number[] }[];
  readonly texts: Readonly<Record<string, string>>;
  readonly files: readonly { name: string; png: string }[];
}
const recorded = JSON.parse(readFileSync(new URL('../golden/png/pillow.json', import.meta.url), 'utf8')) as Recorded;

for (const { name, png, shape, bytes } of recorded.pictures) {
  test(`as Pillow writes it: ${name}`, () => {
    const decoded = decodePng(Buffer.from(png, 'base64'));
    assert.deepEqual(decoded.shape, shape);
    assert.deepEqual(
      [...decoded.data],
      bytes.map((byte) => Math.fround(byte / 127.5 - 1)),
    );
  });
}

test('gray of 2 and 4 bits reaches from black to white; 16 bits, interlaced few bits and a hole in a palette are refused', () => {
  for (const depth of [2, 4] as const) {
    const most = 2 ** depth - 1;
    // Two rows of three pixels, each in a byte or two of its own.
    const packed = depth === 2 ? [0b00011000, 0b11100100] : [0x07, 0xf0, 0xf1, 0x20];
    const values = depth === 2 ? [0, 1, 2, 3, 2, 1] : [0, 7, 15, 15, 1, 2];
    const { shape, data } = decodePng(rawPng({ width: 3, height: 2, depth, type: 0, packed }));
    assert.deepEqual(shape, [1, 2, 3]);
    assert.deepEqual(
      [...data],
      values.map((value) => Math.fround((value * 255) / most / 127.5 - 1)),
    );
  }
  const tiny = { width: 1, height: 1, type: 0 };
  assert.throws(() => decodePng(rawPng({ ...tiny, depth: 16, packed: [1, 2] })), /16 bits per channel/);
  assert.throws(
    () => decodePng(rawPng({ ...tiny, depth: 4, packed: [0], interlaced: true })),
    /interlaced with 4 bits/,
  );
  const palette = [9, 8, 7];
  assert.throws(
    () => decodePng(rawPng({ ...tiny, type: 3, depth: 2, packed: [0b10000000], palette })),
    /colour 2 of a palette of 1/,
  );
});

test('a palette in a picture of three channels is advice, not its colours', () => {
  const png = rawPng({ width: 1, height: 1, depth: 8, type: 2, packed: [0, 1, 255], palette: [9, 8, 7, 6, 5, 4] });
  assert.deepEqual([...decodePng(png).data], [-1, Math.fround(1 / 127.5 - 1), 1]);
});

test('pixels that are see-through without an alpha channel are refused, colours that no pixel has are not', () => {
  const palette = [9, 8, 7, 6, 5, 4];
  const twoColours = (packed: number[], transparency: number[]) =>
    decodePng(rawPng({ width: 2, height: 1, depth: 8, type: 3, packed, palette, transparency }));
  assert.throws(() => twoColours([0, 1], [0]), /it has transparent pixels/);
  assert.throws(() => twoColours([0, 1], [255, 254]), /it has transparent pixels/);
  assert.equal(twoColours([1, 1], [0]).data.length, 6);
  assert.equal(twoColours([0, 1], [255, 255]).data.length, 6);
  const gray = (packed: number[], depth = 8) =>
    decodePng(rawPng({ width: 2, height: 1, depth, type: 0, packed, transparency: [0, 3] }));
  assert.throws(() => gray([200, 3]), /it has transparent pixels/);
  assert.throws(() => gray([0b0111_0000], 2), /it has transparent pixels/);
  assert.equal(gray([200, 4]).data.length, 2);
  const rgb = (packed: number[]) =>
    decodePng(rawPng({ width: 2, height: 1, depth: 8, type: 2, packed, transparency: [0, 1, 0, 2, 0, 3] }));
  assert.throws(() => rgb([9, 9, 9, 1, 2, 3]), /it has transparent pixels/);
  assert.equal(rgb([1, 2, 4, 9, 1, 2]).data.length, 6, 'three numbers in a row that are no pixel');
});

test('what is called .png and is none is named', () => {
  for (const [beginning, what] of [
    ['\xff\xd8\xff\xe0\0\x10JFIF', /a JPEG picture/],
    ['RIFF\x10\0\0\0WEBPVP8 ', /a WebP picture/],
    ['GIF89a', /a GIF picture/],
    ['BM\x10\0\0\0\0\0\0\0', /a BMP picture/],
    ['II*\0', /a TIFF picture/],
    ['\0\0\0\x1cftypavif', /an AVIF or HEIF picture/],
    ['version https://git-lfs.github.com/spec/v1\n', /Git LFS/],
    ['<!DOCTYPE html>', /a web page/],
  ] as const) {
    for (const length of [beginning.length, 200]) {
      assert.throws(() => pngShape(Buffer.from(beginning.padEnd(length), 'latin1')), what);
    }
  }
});

/** A PNG chunk by chunk; rows are packed as the file has them. */
function rawPng({
  width,
  height,
  depth,
  type,
  packed,
  palette,
  transparency,
  interlaced = false,
}: {
  width: number;
  height: number;
  depth: number;
  type: number;
  packed: number[];
  palette?: number[];
  transparency?: number[];
  interlaced?: boolean;
}): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, interlaced ? 1 : 0], 8);
  const row = packed.length / height;
  const rows = Array.from({ length: height }, (_, y) => [0, ...packed.slice(y * row, (y + 1) * row)]).flat();
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(palette ? [chunk('PLTE', Buffer.from(palette))] : []),
    ...(transparency ? [chunk('tRNS', Buffer.from(transparency))] : []),
    chunk('IDAT', deflateSync(Buffer.from(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(body.length + 12);
  bytes.writeUInt32BE(body.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(body, 8);
  bytes.writeInt32BE(CRC32.buf(bytes.subarray(4, body.length + 8)), body.length + 8);
  return bytes;
}

const withChunks = (...chunks: Uint8Array[]) => {
  const png = encodePng(picture([3, 2, 2], 1));
  return Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);
};

for (const { name, png } of recorded.files) {
  test(`texts as Pillow writes them: ${name}`, () => {
    assert.deepEqual(readPngText(Buffer.from(png, 'base64')), recorded.texts);
  });
}

test('texts after the pixels, UTF-8 where Latin-1 belongs, and of two with one keyword the last', () => {
  const png = encodePng(picture([3, 2, 2], 1));
  const late = Buffer.concat([
    png.subarray(0, -12),
    chunk('tEXt', Buffer.from('a\0größe', 'latin1')),
    png.subarray(-12),
  ]);
  assert.deepEqual(readPngText(late), { a: 'größe' });
  const twice = withChunks(chunk('tEXt', Buffer.from('a\0old')), chunk('tEXt', Buffer.from('a\0赤い円')));
  assert.deepEqual(readPngText(twice), { a: '赤い円' });
});

test('damaged and monstrous texts are left out, the others read', () => {
  const good = chunk('tEXt', Buffer.from('good\0yes'));
  const bomb = deflateSync(Buffer.alloc(64 * 2 ** 20));
  const bad = [
    chunk('zTXt', Buffer.concat([Buffer.from('bomb\0\0'), bomb])),
    chunk('iTXt', Buffer.concat([Buffer.from('bomb\0\x01\0\0\0'), bomb])),
    chunk('zTXt', Buffer.from('cut\0\0\x78\x9c')),
    chunk('zTXt', Buffer.from('method\0\x05')),
    chunk('iTXt', Buffer.from('short\0\0')),
    chunk('iTXt', Buffer.from('kind\0\x02\0\0\0x')),
    chunk('tEXt', Buffer.from('no end')),
    chunk('tEXt', Buffer.from('\0no keyword')),
    chunk('tEXt', Buffer.from('__proto__\0x')),
  ];
  for (const one of bad) assert.equal(readPngText(withChunks(one, good)).good, 'yes');
  const { good: _, ...others } = readPngText(withChunks(...bad, good));
  assert.deepEqual(Object.keys(others), ['__proto__']);
});
