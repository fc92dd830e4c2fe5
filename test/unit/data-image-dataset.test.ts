import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, test } from 'node:test';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { folderInput } from '../../backend/models/input-file.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { randomBelow, uniform } from '../random.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-images-'));
after(() => rmSync(root, { recursive: true }));
let made = 0;

type Files = Record<string, Uint8Array>;

/** Every byte of image `id` is known: value(id, i) for byte i. */
const value = (id: number, i: number) => (37 * id + 11 * i) % 256;
function png(id: number, { width = 5, height = 4, channels = 3 } = {}): Uint8Array {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => value(id, i));
  return encode({ width, height, channels, data, depth: 8 });
}

const json = (content: unknown) => Buffer.from(JSON.stringify(content));

function folder(files: Files): string {
  const path = join(root, `folder${made++}`);
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), bytes);
  }
  return path;
}

function zip(files: Files, level: 0 | 6 = 0): string {
  const path = join(root, `set${made++}.zip`);
  writeFileSync(path, zipSync(files, { level }));
  return path;
}

const files: Files = {
  '00001/img00000002.png': png(2),
  '00000/img00000001.png': png(1),
  '00000/img00000000.png': png(0),
  'dataset.json': json({
    labels: [
      ['00000/img00000000.png', 3],
      ['00001\\img00000002.png', 0],
      ['00000/img00000001.png', 1],
    ],
  }),
};

for (const [kind, make] of Object.entries({ folder, zip, 'compressed zip': (f: Files) => zip(f, 6) })) {
  test(`a ${kind}: images in the order of their names, labels by name`, async () => {
    const set = await openImageDataset(make(files));
    assert.deepEqual([set.count, set.shape, set.labelDim], [3, [3, 4, 5], 4]);
    const { images, labels } = await set.batch([2, 0, 1, 2]);
    await set.close();
    assert.deepEqual(images.shape, [4, 3, 4, 5]);
    assert.deepEqual([...labels.data], [1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0]);
    for (const [n, id] of [2, 0, 1, 2].entries()) {
      for (let c = 0; c < 3; c++) {
        for (let i = 0; i < 20; i++) {
          const expected = Math.fround(value(id, 3 * i + c) / 127.5 - 1);
          assert.equal(images.data[(n * 3 + c) * 20 + i], expected);
        }
      }
    }
  });
}

test('a relative folder gives the same names', async () => {
  const set = await openImageDataset(`./${relative(process.cwd(), folder(files))}/`);
  assert.deepEqual([set.count, set.labelDim], [3, 4]);
});

test('gray images, and a set without labels', async () => {
  for (const extra of [{}, { 'dataset.json': json({ labels: null }) }] as Files[]) {
    const set = await openImageDataset(folder({ 'a/b/c/x.png': png(4, { channels: 1 }), ...extra }));
    assert.deepEqual([set.count, set.shape, set.labelDim], [1, [1, 4, 5], 0]);
    const { images, labels } = await set.batch([0, 0]);
    assert.deepEqual(labels.shape, [2, 0]);
    assert.equal(images.data[7], Math.fround(value(4, 7) / 127.5 - 1));
  }
});

test('options: no labels, a number of classes, a part of the images, vector labels', async () => {
  const path = zip(files);
  const open = async (options: object) => {
    const set = await openImageDataset(path, options);
    await set.close();
    return [set.count, set.labelDim];
  };
  assert.deepEqual(await open({ labelled: false }), [3, 0]);
  assert.deepEqual(await open({ labelDim: 10 }), [3, 10]);
  assert.deepEqual(await open({ count: 2 }), [2, 4]);
  const vector = { 'x.png': png(1), 'dataset.json': json({ labels: [['x.png', [0.5, -2]]] }) };
  const set = await openImageDataset(folder(vector));
  assert.deepEqual([...(await set.batch([0])).labels.data], [0.5, -2]);
});

/** Opens and reads everything; the error must be a UserError of kind 'data' that names all of `words`. */
async function refused(path: string, words: RegExp[], options = {}) {
  const read = async () => {
    const set = await openImageDataset(path, options);
    await set.batch([...Array(set.count).keys()]).finally(() => set.close());
  };
  await assert.rejects(read(), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.kind, 'data');
    assert.notEqual(error.hint, '');
    for (const word of [path, ...words]) {
      const found = typeof word === 'string' ? error.message.includes(word) : word.test(error.message);
      assert.ok(found, `${word} not in: ${error.message}`);
    }
    return true;
  });
}

test('a damaged PNG is named', async () => {
  const bad = Uint8Array.from(png(1));
  bad[bad.length - 20]! ^= 0xff;
  await refused(zip({ ...files, '00000/img00000001.png': bad }), [/00000\/img00000001\.png/]);
  await refused(folder({ ...files, '00000/img00000001.png': bad.slice(0, 40) }), [/00000\/img00000001\.png/]);
});

test('an image of another size or kind is named, with both sizes', async () => {
  const wide = { ...files, '00001/img00000002.png': png(2, { width: 6 }) };
  await refused(folder(wide), [/img00000002\.png is 6 x 4, RGB, the others 5 x 4, RGB/]);
  const gray = { ...files, '00001/img00000002.png': png(2, { channels: 1 }) };
  await refused(zip(gray), [/img00000002\.png is 5 x 4, gray/]);
  await refused(folder({ 'x.png': png(1, { channels: 4 }) }), [/x\.png.*alpha/]);
});

test('what a header tells is found when the data set is opened, wherever the image comes in it', async () => {
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`${String(i).padStart(3, '0')}.png`, png(i)]));
  const sixteen = encode({ width: 5, height: 4, channels: 3, data: new Uint16Array(60), depth: 16 });
  const bad: [string, Uint8Array, RegExp][] = [
    ['wider', png(1, { width: 6 }), /is 6 x 4, RGB, the others 5 x 4/],
    ['gray', png(1, { channels: 1 }), /is 5 x 4, gray/],
    ['with alpha', png(1, { channels: 4 }), /alpha/],
    ['deeper', sixteen, /16 bits per channel/],
    ['empty', new Uint8Array(0), /ends at byte 0/],
    ['cut in the header', png(1).slice(0, 20), /ends at byte 20/],
    ['no PNG', Buffer.from('no picture'.repeat(20)), /not a PNG/],
    ['a web page', Buffer.from('<html>'.repeat(20)), /a web page/],
  ];
  for (const [what, bytes, words] of bad) {
    for (const make of [folder, zip, (files: Files) => zip(files, 6)]) {
      const path = make({ ...many, '069.png': bytes });
      await assert.rejects(openImageDataset(path), { kind: 'data', message: words }, what);
      await assert.rejects(openImageDataset(path), { message: /069\.png/ }, what);
      const part = await openImageDataset(path, { count: 69 });
      assert.equal(part.count, 69, 'an image that is not used is not looked at');
      await part.close();
    }
  }
});

test('a disk that refuses is told as such', async (t) => {
  const root = folder({ 'readme.txt': Buffer.from('x') });
  symlinkSync(join(root, 'b'), join(root, 'a'));
  symlinkSync(join(root, 'a'), join(root, 'b'));
  await assert.rejects(openImageDataset(join(root, 'a')), { kind: 'io', message: /cannot read .*ELOOP/ });
  const images = folder({ 'x.png': png(0) });
  symlinkSync(join(root, 'a'), join(images, 'y.png'));
  await assert.rejects(openImageDataset(images), { kind: 'io', message: /y\.png.*ELOOP/ });
  if (process.getuid?.() === 0) return t.diagnostic('root may read everything');
  chmodSync(join(images, 'x.png'), 0);
  await assert.rejects(openImageDataset(images), { kind: 'io', message: /x\.png.*EACCES/ });
});

test('missing, impossible and out-of-range labels are named', async () => {
  const labelled = (labels: unknown) => folder({ 'a.png': png(0), 'b.png': png(1), 'dataset.json': json({ labels }) });
  await refused(labelled([['a.png', 0]]), [/no label for b\.png/]);
  for (const label of [-1, 1.5, [1, 2]]) {
    const pairs = [
      ['a.png', 0],
      ['b.png', label],
    ];
    await refused(labelled(pairs), [/label of b\.png is/]);
  }
  const ten = [
    ['a.png', 0],
    ['b.png', 10],
  ];
  await refused(labelled(ten), [/label of b\.png is 10, out of range for 10 classes/], { labelDim: 10 });
  await refused(labelled(null), [/has no labels, but 10 classes/], { labelDim: 10 });
  await refused(labelled([['a.png', 'cat']]), [/labels\[0\]/]);
  await refused(labelled({ a: 1 }), [/"labels" is not a list/]);
  await refused(folder({ 'a.png': png(0), 'dataset.json': Buffer.from('{') }), [/dataset\.json/]);
});

test('what is no data set is refused', async () => {
  await refused(join(root, 'nowhere'), [/ENOENT/]);
  await refused(folder({ 'readme.txt': Buffer.from('x') }), [/no PNG/]);
  await refused(folder({ 'a.png': png(0), 'photo.JPG': Buffer.from('x') }), [/photo\.JPG is not a PNG/]);
  const file = join(root, 'not.zip');
  writeFileSync(file, 'plain text');
  await refused(file, [/not a readable zip/]);
});

/** Opens, reads all of it, and gives the classes that the labels name. */
async function classesOf(path: string): Promise<number[]> {
  const set = await openImageDataset(path);
  const { labels } = await set.batch([...Array(set.count).keys()]);
  await set.close();
  return Array.from({ length: set.count }, (_, i) =>
    labels.data.subarray(i * set.labelDim, (i + 1) * set.labelDim).indexOf(1),
  );
}

const junk = Buffer.from('\0\x05\x16\x07\0\x02\0\0Mac OS X        ');

test('what systems leave beside files is not there', async () => {
  const odd: Files = {
    ...files,
    '__MACOSX/00000/._img00000000.png': junk,
    '__MACOSX/._dataset.json': junk,
    '__MACOSX/._cover.jpg': junk,
    '00000/._img00000001.png': junk,
    '.DS_Store': junk,
    '.ipynb_checkpoints/img00000009.png': png(9),
    '00000/@eaDir/img00000001.png': png(8, { width: 2 }),
    '$RECYCLE.BIN/a.png': junk,
    'System Volume Information/a.png': junk,
    '#recycle/img00000001.png': png(8, { width: 2 }),
    'lost+found/a.jpg': junk,
  };
  for (const make of [folder, zip]) assert.deepEqual(await classesOf(make(odd)), [3, 1, 0]);
});

test('a folder around the data set, in a folder or a zip; labels by the one or the other name', async () => {
  const moved = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`top/set/${name}`, bytes]));
  const fromTop = [['top/a.png', 1]];
  for (const make of [folder, zip]) {
    assert.deepEqual(await classesOf(make(moved)), [3, 1, 0]);
    const whole = { 'top/a.png': png(1), 'top/dataset.json': json({ labels: fromTop }) };
    assert.deepEqual(await classesOf(make(whole)), [1]);
    const both = { ...moved, 'other/set/dataset.json': json({ labels: null }), 'other/set/a.png': png(1) };
    await refused(make(both), [/several data sets.*other\/set\/dataset\.json and top\/set\/dataset\.json/]);
  }
  assert.deepEqual(
    await classesOf(zip({ './a.png': png(1), './dataset.json': json({ labels: [['./a.png', 2]] }) })),
    [2],
  );
});

test('labels count among what a run was begun with, wherever they lie', async () => {
  for (const under of ['', 'top/set/']) {
    const path = folder(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [under + name, bytes])));
    const hash = async () => {
      const set = await openImageDataset(path);
      await set.close();
      return (await folderInput('data.source', path, set.names)).sha256;
    };
    const before = await hash();
    assert.equal(await hash(), before);
    const labels = Object.keys(files).flatMap((name) => (name.endsWith('.png') ? [[name, 1]] : []));
    writeFileSync(join(path, `${under}dataset.json`), json({ labels }));
    assert.notEqual(await hash(), before, under);
  }
});

test('a dataset.json with a mark, in UTF-16, and with letters as another system writes them', async () => {
  const name = 'caf\u00e9/a.png';
  const text = JSON.stringify({ labels: [[name, 4]] });
  for (const bytes of [Buffer.from(`\ufeff${text}`), Buffer.from(`\ufeff${text}`, 'utf16le')]) {
    const set = { [name.normalize('NFD')]: png(1), 'dataset.json': bytes };
    assert.deepEqual(await classesOf(zip(set)), [4]);
    assert.deepEqual(await classesOf(folder(set)), [4]);
  }
  await refused(zip({ 'a.png': png(0), 'dataset.json': Buffer.from('{"labels": "\xe4"}', 'latin1') }), [/not UTF-8/]);
});

test('images that dataset.json names and that are not there are named', async () => {
  const { '00000/img00000001.png': _, ...left } = files;
  for (const make of [folder, zip]) {
    await refused(make(left), [/names 1 images that are not there, first 00000\/img00000001\.png/]);
    const set = await openImageDataset(make(left), { labelled: false });
    assert.equal(set.count, 2);
    await set.close();
  }
  // A part that is asked for is no damage.
  const set = await openImageDataset(folder(files), { count: 2 });
  assert.deepEqual([set.count, set.labelDim], [2, 4]);
});

test('labels that contradict each other, under another name of their file, and pictures of other kinds beside the PNGs', async () => {
  const labels = [
    ['a.png', 1],
    ['./a.png', 2],
  ];
  const images = { 'a.png': png(0) };
  await refused(folder({ ...images, 'dataset.json': json({ labels }) }), [/two labels for \.\/a\.png, 1 and 2/]);
  const twice = folder({ ...images, 'dataset.json': json({ labels: [labels[0], ['.\\a.png', 1]] }) });
  assert.deepEqual(await classesOf(twice), [1]);
  assert.deepEqual(await classesOf(folder({ ...images, 'Dataset.JSON': json({ labels: [labels[0]] }) })), [1]);
  for (const name of ['b.jfif', 'b.HEIC', 'b.avif', 'b.ppm', 'b.tga']) {
    await refused(folder({ ...images, [name]: junk }), [new RegExp(`${name} is not a PNG`)]);
  }
});

test('links to files and folders are followed; where that cannot be, they are named', {
  skip: process.platform === 'win32',
}, async () => {
  const elsewhere = folder({ 'img00000000.png': png(0), 'img00000001.png': png(1) });
  const { '00000/img00000000.png': _a, '00000/img00000001.png': _b, ...left } = files;
  const linked = folder(left);
  symlinkSync(elsewhere, join(linked, '00000'));
  assert.deepEqual(await classesOf(linked), [3, 1, 0]);
  symlinkSync('.', join(linked, '00001', 'again'));
  await refused(linked, [/00001\/again is a link that leads back/]);
  const lost = folder(files);
  symlinkSync('nowhere', join(lost, 'more'));
  await refused(lost, [/more is a link that leads nowhere/]);
  const packed = zipSync({ 'a.png': png(0), more: [Buffer.from('../images'), { os: 3, attrs: 0o120777 << 16 }] });
  const file = join(root, 'links.zip');
  writeFileSync(file, packed);
  await refused(file, [/more is a link in it/]);
});

test('a truncated zip is refused', async () => {
  const bytes = zipSync(files, { level: 0 });
  const file = join(root, 'cut.zip');
  writeFileSync(file, bytes.subarray(0, bytes.length / 2));
  await refused(file, [/not a readable zip/]);
});

test('a zip damaged anywhere is refused or read, never the end of the process', async () => {
  const whole = zipSync(files, { level: 0 });
  for (let i = 0; i < 300; i++) {
    const bytes = whole.slice(0, i % 5 === 0 ? Math.floor((whole.length * i) / 300) : undefined);
    // The directory at the end is where offsets live: hit it more often than the pictures.
    for (let k = 0; k < 8; k++) {
      const back = Math.floor(uniform() * Math.min(bytes.length, 400));
      if (bytes.length > 0) bytes[bytes.length - 1 - back] = randomBelow(256);
    }
    const path = join(root, 'damaged.zip');
    writeFileSync(path, bytes);
    try {
      const set = await openImageDataset(path);
      await set.batch([0]).finally(() => set.close());
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
    }
  }
});
