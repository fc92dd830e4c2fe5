/** IDX files as data: whole ones are read as they are, packed or not, and what is cut, swapped or mismatched is named. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { idx } from '../idx.ts';
import { randomBelow } from '../random.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-idx-'));
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** A folder with these files. */
function folder(files: Record<string, Uint8Array>): string {
  const path = join(root, `set${made++}`);
  mkdirSync(path);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
  return path;
}

const [count, height, width] = [7, 5, 3];
const pixels = Uint8Array.from({ length: count * height * width }, () => randomBelow(256));
const classes = Uint8Array.of(3, 0, 1, 3, 2, 0, 1);
const images = idx([count, height, width], pixels);
const labels = idx([count], classes);
const few = idx([2], Uint8Array.of(0, 1));
const names = { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' };

const layouts: Record<string, Record<string, Uint8Array>> = {
  plain: { [names.images]: images, [names.labels]: labels },
  packed: { [`${names.images}.gz`]: gzipSync(images), [`${names.labels}.gz`]: gzipSync(labels) },
  'one packed': { [names.images]: images, [`${names.labels}.gz`]: gzipSync(labels) },
  'with dots, as some copies have': { 'train-images.idx3-ubyte': images, 'train-labels.idx1-ubyte': labels },
  'two parts, of which the one for training is meant': {
    ...{ [names.images]: images, [names.labels]: labels },
    't10k-images-idx3-ubyte': idx([1, height, width], new Uint8Array(height * width)),
    't10k-labels-idx1-ubyte': idx([1], Uint8Array.of(0)),
  },
};

for (const [what, files] of Object.entries(layouts)) {
  test(`pictures and labels of IDX files, ${what}`, async () => {
    const path = folder(files);
    const file = Object.keys(files).find((name) => name.startsWith('train-images'))!;
    for (const source of [path, join(path, file)]) {
      const set = await openImageDataset(source);
      assert.deepEqual([set.count, set.shape, set.labelDim], [count, [1, height, width], 4]);
      const batch = await set.batch([6, 0, 6]);
      await set.close();
      const expected = [6, 0, 6].flatMap((n) => [
        ...pixels.subarray(n * height * width, (n + 1) * height * width).map((x) => x),
      ]);
      assert.deepEqual(
        batch.images.data,
        Float32Array.from(expected, (x) => x / 127.5 - 1),
      );
      assert.deepEqual(batch.images.shape, [3, 1, height, width]);
      assert.deepEqual([...batch.labels.data], [0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0]);
    }
  });
}

test('what a run must find again: both files of a folder, the labels beside a file of pictures', async () => {
  const path = folder(layouts.packed);
  const ofFolder = await openImageDataset(path);
  assert.deepEqual(ofFolder.names, [`${names.images}.gz`, `${names.labels}.gz`]);
  assert.equal(ofFolder.labelsFile, undefined);
  const ofFile = await openImageDataset(join(path, `${names.images}.gz`));
  assert.equal(ofFile.names, null);
  assert.equal(ofFile.labelsFile, join(path, `${names.labels}.gz`));
  const plain = await openImageDataset(path, { labelled: false });
  assert.deepEqual([plain.names, plain.labelDim], [[`${names.images}.gz`], 0]);
  assert.deepEqual((await plain.batch([1])).labels.shape, [1, 0]);
});

test('a part of them, and a number of classes', async () => {
  const path = folder(layouts.plain);
  const part = await openImageDataset(path, { count: 2, labelDim: 10 });
  assert.deepEqual([part.count, part.labelDim], [2, 10]);
  const all = await openImageDataset(path, { count: 99 });
  assert.equal(all.count, count);
  await assert.rejects(openImageDataset(path, { labelDim: 3 }), {
    kind: 'data',
    message: /has a label 3, but 3 classes/,
  });
});

const header = (bytes: Uint8Array, at: number, value: number) => {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
};

const damaged: [what: string, files: Record<string, Uint8Array>, words: RegExp][] = [
  [
    'cut pictures',
    { ...layouts.plain, [names.images]: images.slice(0, -4) },
    /train-images.*cut off: it says 7 x 5 x 3/,
  ],
  ['cut within the header', { ...layouts.plain, [names.images]: images.slice(0, 9) }, /train-images.*ends at byte 9/],
  ['cut labels', { ...layouts.plain, [names.labels]: labels.slice(0, -1) }, /train-labels.*cut off: it says 7/],
  [
    'pictures and more',
    { ...layouts.plain, [names.images]: Buffer.concat([images, few]) },
    /train-images.*has 10 more/,
  ],
  [
    'cut while packed',
    { ...layouts.packed, [`${names.images}.gz`]: gzipSync(images).subarray(0, -9) },
    /train-images.*cut off/,
  ],
  [
    'packed and damaged',
    { ...layouts.packed, [`${names.labels}.gz`]: header(gzipSync(labels), 12, 0xff) },
    /train-labels.*cannot be unpacked/,
  ],
  ['swapped', { [names.images]: labels, [names.labels]: images }, /train-images.*7 numbers.*swapped/],
  ['pictures for labels', { [names.images]: images, [names.labels]: images }, /train-labels.*7 x 5 x 3.*swapped/],
  ["another set's labels", { [names.images]: images, [names.labels]: few }, /7 pictures and .*train-labels.* 2 labels/],
  ['other numbers', { ...layouts.plain, [names.images]: header(images, 2, 0x0d) }, /train-images.*of type 13/],
  ['no IDX file', { ...layouts.plain, [names.images]: Buffer.from('<html>') }, /train-images.*not an IDX file/],
  ['no pictures', { [names.images]: idx([0, 5, 3], new Uint8Array(0)) }, /train-images.*0 x 5 x 3/],
  ['labels alone', { [names.labels]: labels }, /train-labels.*no pictures/],
  [
    'two sets',
    { 'a-images-idx3-ubyte': images, 'b-images-idx3-ubyte': images },
    /several data sets: a-images.*b-images/,
  ],
];

for (const [what, files, words] of damaged) {
  test(`IDX files that are refused: ${what}`, async () => {
    const path = folder(files);
    await assert.rejects(openImageDataset(path), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.kind, 'data');
      assert.match(error.message, words);
      assert.ok(error.message.includes(path) && error.hint !== '');
      return true;
    });
  });
}

test('a file of labels is no data, and labels that are asked for must be there', async () => {
  const path = folder(layouts.plain);
  await assert.rejects(openImageDataset(join(path, names.labels)), { kind: 'data', message: /is a file of labels/ });
  const alone = folder({ [names.images]: images });
  await assert.rejects(openImageDataset(alone, { labelDim: 4 }), { kind: 'data', message: /has no labels, but 4/ });
  assert.equal((await openImageDataset(alone)).labelDim, 0);
});

test('a few packed bytes cannot fill the memory', async () => {
  const path = folder({ [`${names.images}.gz`]: gzipSync(Buffer.alloc(2 ** 26)) });
  await assert.rejects(openImageDataset(path), { kind: 'data', message: /unpacks to more than \d+ bytes/ });
});
