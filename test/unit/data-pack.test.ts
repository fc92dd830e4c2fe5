/** `dmd data pack`: pictures of any size and kind become a data set, and what cannot is named while nothing is lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { encode } from 'fast-png';
import jpeg from 'jpeg-js';
import { openFileSource } from '../../backend/data/file-source.ts';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { decodePicture } from '../../backend/data/pack/decode-picture.ts';
import { findPictures } from '../../backend/data/pack/find-pictures.ts';
import { type PackOptions, packPictures } from '../../backend/data/pack/pack.ts';
import { type SquareOptions, toSquare } from '../../backend/data/pack/to-square.ts';
import { zipPieces } from '../../backend/data/pack/zip-pieces.ts';
import { writePiecesAtomic } from '../../backend/files/atomic.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { randomBelow } from '../random.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-pack-'));
after(() => rmSync(root, { recursive: true }));
let made = 0;

type Files = Record<string, Uint8Array | string>;

function folder(files: Files): string {
  const path = join(root, `pictures${made++}`);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

type Rgb = readonly [number, number, number];
const [red, green, blue, white]: Rgb[] = [
  [230, 20, 20],
  [20, 200, 20],
  [20, 20, 220],
  [250, 250, 250],
];

/** RGBA of a picture by its colour at each pixel. */
function picture(width: number, height: number, colour: (x: number, y: number) => Rgb) {
  const data = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) data.set(colour(i % width, Math.floor(i / width)), 4 * i);
  return { width, height, data };
}

/** Its quarters: top left, top right, bottom left, bottom right. */
const quarters = (width: number, height: number, colours: readonly Rgb[]) =>
  picture(width, height, (x, y) => colours[(2 * y >= height ? 2 : 0) + (2 * x >= width ? 1 : 0)]!);
const four = [red, green, blue, white] as const;

const png = (image: ReturnType<typeof picture>) => encode({ ...image, channels: 4, depth: 8 });
const photo = (image: ReturnType<typeof picture>) => jpeg.encode(image, 95).data;

/** A photograph with EXIF data of either byte order that say how the camera was held. */
function held(image: ReturnType<typeof picture>, orientation: number, little: boolean): Buffer {
  const tiff = Buffer.alloc(8 + 2 + 24 + 4);
  const [two, four] = [
    (value: number, at: number) => (little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at)),
    (value: number, at: number) => (little ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at)),
  ];
  tiff.write(little ? 'II' : 'MM', 'latin1');
  two(42, 2);
  four(8, 4);
  two(2, 8);
  // Another number before it: the width.
  for (const [i, tag, value] of [
    [0, 0x100, 7],
    [1, 0x112, orientation],
  ] as const) {
    two(tag, 10 + 12 * i);
    two(3, 12 + 12 * i);
    four(1, 14 + 12 * i);
    two(value, 18 + 12 * i);
  }
  const content = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  const plain = photo(image);
  return Buffer.concat([plain.subarray(0, 2), head, content, plain.subarray(2)]);
}

const plainly: SquareOptions = { size: 8, how: 'crop', ground: 0, gray: false };

/** The colour nearest to the pixel at (x, y), by its place in `four`. */
function nearest(data: Float32Array, size: number, x: number, y: number): number {
  const at = y * size + x;
  const bytes = [0, 1, 2].map((c) => (data[c * size * size + at]! + 1) * 127.5);
  const far = four.map((colour) => colour.reduce((sum, value, c) => sum + Math.abs(value - bytes[c]!), 0));
  return far.indexOf(Math.min(...far));
}
const corners = (data: Float32Array, size: number) =>
  [
    [0, 0],
    [size - 1, 0],
    [0, size - 1],
    [size - 1, size - 1],
  ].map(([x, y]) => nearest(data, size, x!, y!));

/** By TIFF 6.0: where row 0 and column 0 of what is stored lie in the picture. Corners of the upright picture. */
const upright: Record<number, number[]> = {
  1: [0, 1, 2, 3], // top, left
  2: [1, 0, 3, 2], // top, right
  3: [3, 2, 1, 0], // bottom, right
  4: [2, 3, 0, 1], // bottom, left
  5: [0, 2, 1, 3], // left, top
  6: [2, 0, 3, 1], // right, top
  7: [3, 1, 2, 0], // right, bottom
  8: [1, 3, 0, 2], // left, bottom
};

test('photographs stand upright however the camera was held', () => {
  for (const [orientation, expected] of Object.entries(upright)) {
    for (const little of [true, false]) {
      const image = decodePicture(held(quarters(32, 32, four), Number(orientation), little));
      assert.deepEqual(corners(toSquare(image, plainly), 8), expected, `orientation ${orientation}`);
    }
  }
  const senseless = decodePicture(held(quarters(32, 32, four), 77, true));
  assert.deepEqual(corners(toSquare(senseless, plainly), 8), [0, 1, 2, 3]);
});

test('what is not square keeps its middle, or all of it with bars', () => {
  const wide = decodePicture(png(picture(60, 20, (x) => (x < 20 ? red : x < 40 ? green : blue))));
  assert.deepEqual(corners(toSquare(wide, plainly), 8), [1, 1, 1, 1], 'the middle third');
  const padded = toSquare(wide, { ...plainly, how: 'pad', size: 12, ground: 255 });
  const rows = Array.from({ length: 12 }, (_, y) => nearest(padded, 12, 0, y));
  assert.deepEqual(rows, [3, 3, 3, 3, 0, 0, 0, 0, 3, 3, 3, 3], 'four rows of it between white bars');
  const [left, middle, right] = [0, 6, 11].map((x) => nearest(padded, 12, x, 6));
  assert.deepEqual([left, middle, right], [0, 1, 2]);
  const line = decodePicture(png(picture(300, 1, () => red)));
  assert.equal(nearest(toSquare(line, { ...plainly, how: 'pad' }), 8, 3, 3), 0, 'a line has one row left');
});

test('PNG of every kind: gray, palette, alpha, 16 bits', () => {
  const ofGround = (bytes: Uint8Array, ground: number) =>
    toSquare(decodePicture(bytes), { ...plainly, size: 4, ground });
  const level = (byte: number) => Math.fround(byte / 127.5 - 1);
  const gray16 = encode({ width: 4, height: 4, channels: 1, depth: 16, data: new Uint16Array(16).fill(0x8000) });
  assert.deepEqual([...ofGround(gray16, 0)], Array(48).fill(level(128)));
  const clear = encode({ width: 4, height: 4, channels: 4, depth: 8, data: new Uint8Array(64).fill(0) });
  assert.deepEqual([...ofGround(clear, 255)], Array(48).fill(1), 'nothing over white');
  assert.deepEqual([...ofGround(clear, 0)], Array(48).fill(-1));
  const half = Uint8Array.from({ length: 32 }, (_, i) => (i % 2 ? 51 : 200));
  const grayAlpha = encode({ width: 4, height: 4, channels: 2, depth: 8, data: half });
  assert.deepEqual([...ofGround(grayAlpha, 0)], Array(48).fill(level(40)), 'a fifth of 200');
  const palette = [
    [...red, 255],
    [...blue, 0],
  ];
  const indexed = withPalette(
    4,
    4,
    Uint8Array.from({ length: 16 }, (_, i) => i % 2),
    palette,
  );
  const two = toSquare(decodePicture(indexed), { ...plainly, size: 4, ground: 255 });
  assert.deepEqual([nearest(two, 4, 0, 0), nearest(two, 4, 1, 0)], [0, 3], 'red, and nothing over white');
});

/** fast-png writes no palettes: one is put into a gray picture. */
function withPalette(width: number, height: number, data: Uint8Array, palette: readonly (readonly number[])[]): Buffer {
  const gray = Buffer.from(encode({ width, height, channels: 1, depth: 8, data }));
  gray[25] = 3;
  const chunk = (name: string, content: number[]) => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), Buffer.from(content)]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(content.length);
    body.copy(out, 4);
    out.writeInt32BE(crc32(body), out.length - 4);
    return out;
  };
  gray.writeInt32BE(crc32(gray.subarray(12, 29)), 29);
  const colours = chunk(
    'PLTE',
    palette.flatMap((entry) => entry.slice(0, 3)),
  );
  const alphas = chunk(
    'tRNS',
    palette.map((entry) => entry[3]!),
  );
  return Buffer.concat([gray.subarray(0, 33), colours, alphas, gray.subarray(33)]);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc;
}

const packs = (path: string, out: string, options: Partial<PackOptions> = {}) =>
  packPictures({ ...plainly, folder: path, out, skipBroken: false, ...options });

const sizes = () => 3 + randomBelow(40);
const some: Files = {
  'class 10/b.PNG': png(picture(sizes(), sizes(), () => red)),
  'class 2/deep/er/a.jpg': photo(picture(sizes(), sizes(), () => blue)),
  'class 2/named-wrongly.jpg': png(picture(sizes(), sizes(), () => green)),
  'class 10/c.jpeg': photo(picture(sizes(), sizes(), () => white)),
  'class 10/notes.txt': 'these are no pictures',
  '.DS_Store': 'nor is this',
};

test('a folder of pictures of many sizes by class becomes a data set that training reads', async () => {
  const out = join(root, 'some.zip');
  const steps: number[][] = [];
  const packed = await packs(folder(some), out, { onProgress: (...step) => steps.push(step) });
  assert.deepEqual(packed.classes, [
    { name: 'class 2', count: 2 },
    { name: 'class 10', count: 2 },
  ]);
  assert.deepEqual([packed.count, packed.others, packed.broken], [4, 1, []]);
  assert.deepEqual(
    steps,
    [1, 2, 3, 4].map((done) => [done, 4]),
  );
  const set = await openImageDataset(out);
  assert.deepEqual([set.count, set.shape, set.labelDim], [4, [3, 8, 8], 2]);
  const { images, labels } = await set.batch([0, 1, 2, 3]);
  await set.close();
  assert.deepEqual([...labels.data], [1, 0, 1, 0, 0, 1, 0, 1]);
  const colours = [0, 1, 2, 3].map((i) => nearest(images.data.slice(i * 192, (i + 1) * 192), 8, 4, 4));
  assert.deepEqual(colours, [2, 1, 0, 3], 'in the order of their classes and names');
  const again = join(root, 'again.zip');
  await packs(folder(some), again);
  assert.deepEqual(readFileSync(again), readFileSync(out), 'the same pictures give the same bytes');
});

test('gray ones, without classes; a folder around the classes does not count', async () => {
  const files = { 'a.png': some['class 10/b.PNG']!, 'b.png': png(picture(9, 9, () => red)) };
  const flat = join(root, 'flat.zip');
  assert.deepEqual((await packs(folder(files), flat, { gray: true })).classes, []);
  const set = await openImageDataset(flat);
  assert.deepEqual([set.shape, set.labelDim], [[1, 8, 8], 0]);
  const { images } = await set.batch([1]);
  await set.close();
  const luma = Math.round(0.299 * red[0] + 0.587 * red[1] + 0.114 * red[2]);
  assert.deepEqual([...images.data], Array(64).fill(Math.fround(luma / 127.5 - 1)));
  const around = Object.fromEntries(Object.entries(some).map(([name, bytes]) => [`all/of it/${name}`, bytes]));
  assert.deepEqual((await findPictures(folder(around))).classes, ['class 2', 'class 10']);
  assert.deepEqual((await findPictures(folder({ 'one/a.png': files['a.png'], 'one/b.png': files['b.png'] }))).ids, []);
});

const cutPhoto = photo(quarters(64, 64, four)).subarray(0, 700);

test('what cannot be read is named, all of it, and nothing is written; or it is left out', async () => {
  const path = folder({
    ...some,
    'class 2/cut.jpg': cutPhoto,
    'class 2/empty.png': new Uint8Array(0),
    'class 10/page.jpg': '<html>',
    'class 10/phone.heic': 'x',
    'class 10/damaged.png': Buffer.from(png(picture(9, 9, () => red))).fill(0, 45, 55),
  });
  const out = join(root, 'broken.zip');
  writeFileSync(out, 'what was there before');
  await assert.rejects(packs(path, out), (error) => {
    assert.ok(error instanceof UserError && error.kind === 'data', String(error));
    for (const words of [
      /5 pictures that cannot be read, so nothing was written/,
      /class 2\/cut\.jpg: it is cut off at byte 700/,
      /class 2\/empty\.png: it is empty/,
      /class 10\/page\.jpg: it is neither JPEG nor PNG/,
      /class 10\/phone\.heic: its format is not read/,
      /class 10\/damaged\.png: it is damaged/,
    ]) {
      assert.match(error.message, words);
    }
    assert.match(error.hint, /--skip-broken/);
    return true;
  });
  assert.equal(readFileSync(out, 'utf8'), 'what was there before');
  const packed = await packs(path, out, { skipBroken: true });
  assert.deepEqual([packed.count, packed.broken.length], [4, 5]);
  const left = await openImageDataset(out);
  assert.equal(left.count, 4);
  await left.close();
  assert.deepEqual(
    readdirSync(root).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a folder of one picture, of none, of some with and some without a class, and a data set are refused', async () => {
  const out = join(root, 'refused.zip');
  const one = png(picture(9, 9, () => red));
  const refused = async (files: Files, words: RegExp) => {
    await assert.rejects(packs(folder(files), out), (error) => {
      assert.ok(error instanceof UserError && error.kind === 'data', String(error));
      assert.match(error.message, words);
      assert.notEqual(error.hint, '');
      return true;
    });
    assert.ok(!existsSync(out));
  };
  await refused({ 'a.png': one }, /a single picture, so nothing was written/);
  await refused({ 'a.txt': 'x' }, /holds no JPEG or PNG$/);
  await refused({ 'a.webp': 'x', 'b.gif': 'x' }, /only 2 pictures of other formats, first a\.webp/);
  await refused({ 'a.png': one, 'cats/b.png': one }, /1 pictures without a class, first a\.png, and 1 in folders/);
  await refused({ '0/a.png': one, 'dataset.json': '{"labels":null}' }, /is a data set already/);
  await assert.rejects(packs(join(root, 'nowhere'), out), { kind: 'io', message: /nowhere: no such file/ });
});

test('packing that is stopped leaves what was there', async () => {
  const out = join(root, 'stopped.zip');
  writeFileSync(out, 'before');
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: (done: number) => done === 2 && stop.abort() };
  await assert.rejects(packs(folder(some), out, options), { kind: 'cancelled' });
  assert.equal(readFileSync(out, 'utf8'), 'before');
  assert.deepEqual(
    readdirSync(root).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('what a killed packing left goes with the next one, what a living one writes stays', async () => {
  const out = join(root, 'killed.zip');
  const ended = spawnSync(process.execPath, ['-e', '']).pid;
  const left = join(root, `.killed.zip.${ended}-0123abcd.tmp`);
  const others = [`.killed.zip.${process.pid}-0123abcd.tmp`, `.another.zip.${ended}-0123abcd.tmp`];
  for (const name of [left, ...others.map((name) => join(root, name))]) writeFileSync(name, 'half');
  await packs(folder(some), out);
  assert.ok(!existsSync(left));
  for (const name of others) rmSync(join(root, name));
});

test('photographs that would keep the decoder busy are refused at once', () => {
  const huge = Buffer.from(photo(quarters(16, 16, four)));
  const frame = huge.indexOf(Buffer.from([0xff, 0xc0]));
  huge.writeUInt16BE(60_000, frame + 5);
  huge.writeUInt16BE(1_600, frame + 7);
  assert.throws(() => decodePicture(huge), /1600 x 60000, which its \d+ bytes cannot hold/);
  huge.writeUInt16BE(60_000, frame + 7);
  assert.throws(() => decodePicture(huge), /60000 x 60000, more than is read/);
  const small = photo(quarters(16, 16, four));
  const scan = small.indexOf(Buffer.from([0xff, 0xda]));
  const many = Array.from({ length: 70 }, () => small.subarray(scan, -2));
  assert.throws(
    () => decodePicture(Buffer.concat([small.subarray(0, scan), ...many, small.subarray(-2)])),
    /more than 64 scans/,
  );
});

test('a zip has room for more entries than the format had at first', async () => {
  const count = 65_600;
  async function* entries() {
    for (let i = 0; i < count; i++) yield { name: `${i}.txt`, content: Buffer.from(String(i)) };
  }
  const out = join(root, 'many.zip');
  await writePiecesAtomic(out, zipPieces(entries()));
  const source = await openFileSource(out);
  assert.equal(source.names.length, count);
  for (const i of [0, 65_535, count - 1]) assert.equal((await source.read(`${i}.txt`)).toString(), String(i));
  await source.close();
});
