/** Files of a few kilobytes that claim, or inflate to, gigabytes: what they are is seen before, and refused in words. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { decodePng, encodePng, pngShape } from '../../backend/data/png.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { planTeaching } from '../../backend/runs/plan/teach-plan.ts';
import { readNpz } from '../../backend/weights/numpy/npz.ts';
import { readOnnxMetadata } from '../../backend/weights/onnx-metadata.ts';
import { type PngChunk, packPng, pngHeader, zlibZeros } from '../fuzz/make/png.ts';
import { block } from '../fuzz/make/proto.ts';
import { packZip, zeros } from '../fuzz/make/zip.ts';
import { randomBelow, uniform } from '../random.ts';
import { runHere, teachConfig } from './training/tiny.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();
const end: PngChunk = { name: 'IEND', content: Buffer.alloc(0) };

test('a zip of a kilobyte that holds a picture of 12000 x 12000 is refused when it is opened', async () => {
  // Its rows are zeros: 144 MB, of which deflate makes 140 kB, and a zip 1 kB.
  const png = packPng([pngHeader(12_000, 12_000, 8, 0), { name: 'IDAT', content: zlibZeros(138) }, end]);
  const zip = packZip([{ name: 'a.png', content: png }]);
  assert.ok(zip.length < 3000, `${zip.length} bytes`);
  const file = await scratch.write('large.zip', zip);
  await assert.rejects(
    openImageDataset(file),
    refusal(/a\.png: it is 12000 x 12000, more than the 8388608 pixels/, 'data'),
  );
  // By the plan of a teaching, and by the teaching before there is a run.
  const config = teachConfig({ network: { label_dim: 0 }, data: { source: file, useLabels: false } });
  assert.ok(config.kind === 'teach');
  await assert.rejects(planTeaching(config), refusal(/a\.png: it is 12000 x 12000/, 'data'));
  const root = scratch.path('runs');
  const { last } = await runHere({ config, root });
  assert.ok(last.type === 'failed' && last.folder === null && /12000 x 12000/.test(last.error.message));
  assert.deepEqual(fs.existsSync(root) ? fs.readdirSync(root) : [], []);
});

test('pixels that inflate to more, or to fewer, bytes than the size of the picture asks for', () => {
  const png = (pixels: Buffer) => packPng([pngHeader(4, 4), { name: 'IDAT', content: pixels }, end]);
  assert.throws(() => decodePng(png(zlibZeros(1400))), /its pixels cannot be read: they are more than the 52 bytes/);
  assert.throws(() => decodePng(png(deflateSync(Buffer.alloc(51)))), /it has 51 bytes of pixels, its size asks for 52/);
  assert.equal(decodePng(png(deflateSync(Buffer.alloc(52)))).data.length, 48);
});

test('texts, profiles and animations beside the pixels are not looked at, whatever they inflate to', () => {
  const image = tensorData(
    [3, 5, 7],
    Float32Array.from({ length: 105 }, () => 2 * uniform() - 1),
  );
  const plain = Buffer.from(encodePng(image));
  const bombs: PngChunk[] = ['zTXt', 'iCCP'].map((name) => ({
    name,
    content: Buffer.concat([Buffer.from('a\0\0'), zlibZeros(1400)]),
  }));
  const others = packPng([
    ...bombs,
    { name: 'fdAT', content: Buffer.alloc(9) },
    { name: 'tRNS', content: Buffer.alloc(3) },
  ]).subarray(8);
  const whole = Buffer.concat([plain.subarray(0, 33), others, plain.subarray(33)]);
  assert.deepEqual(decodePng(whole), decodePng(plain));
});

test('a second header does not change the size that was checked', () => {
  const pixels = { name: 'IDAT', content: deflateSync(Buffer.alloc(13)) };
  const png = packPng([pngHeader(3, 1), pngHeader(60_000, 60_000), pixels, end]);
  assert.deepEqual(pngShape(png), [3, 1, 3]);
  assert.throws(() => decodePng(png), /it has two headers/);
});

test('interlaced pixels are as many as their seven passes take', () => {
  for (let i = 0; i < 20; i++) {
    const [width, height] = [1 + randomBelow(17), 1 + randomBelow(17)];
    // Each pixel is in one pass, and each row of a pass has a byte more.
    let bytes = 0;
    for (const [x, dx, y, dy] of [
      [0, 8, 0, 8],
      [4, 8, 0, 8],
      [0, 4, 4, 8],
      [2, 4, 0, 4],
      [0, 2, 2, 4],
      [1, 2, 0, 2],
      [0, 1, 1, 2],
    ] as const) {
      const columns = Array.from({ length: width }, (_, at) => at).filter((at) => at % dx === x).length;
      const rows = Array.from({ length: height }, (_, at) => at).filter((at) => at % dy === y).length;
      if (columns > 0) bytes += rows * (1 + columns);
    }
    const png = (length: number) =>
      packPng([pngHeader(width, height, 8, 0, 1), { name: 'IDAT', content: deflateSync(Buffer.alloc(length)) }, end]);
    assert.deepEqual(decodePng(png(bytes)).shape, [1, height, width]);
    assert.throws(() => decodePng(png(bytes - 1)), new RegExp(`its size asks for ${bytes}`));
  }
});

test('an entry of a zip that claims more than its packed bytes justify', async () => {
  const npy = (shape: string) => {
    const header = Buffer.from(
      `\x93NUMPY\x01\0\x76\0{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(127),
      'latin1',
    );
    return Buffer.concat([header, Buffer.from('\n')]);
  };
  const many = Buffer.concat([npy('16777216,'), Buffer.alloc(8 * 2 ** 24)]);
  const zip = await scratch.write('a.npz', packZip([{ name: 'mu.npy', content: many }]));
  await assert.rejects(readNpz(zip, ['mu']), refusal(/mu\.npy claims 134217856 bytes of \d+ packed ones, more than/));
  const some = Buffer.concat([npy('2048, 2048'), Buffer.alloc(8 * 2 ** 22)]); // statistics of zeros
  const fine = await scratch.write('b.npz', packZip([{ name: 'mu.npy', content: some }]));
  assert.equal((await readNpz(fine, ['mu'])).get('mu')?.data.length, 2 ** 22);
});

test('an entry that inflates to another size than it claims', async () => {
  const stated = packZip([{ name: 'mu.npy', content: Buffer.alloc(1000) }]);
  const bomb = packZip([{ name: 'mu.npy', content: Buffer.alloc(1000) }]);
  const packed = zeros(30);
  const at = bomb.indexOf('mu.npy') + 6;
  const directory = stated.indexOf('PK\x01\x02');
  const file = Buffer.concat([bomb.subarray(0, at), packed, stated.subarray(directory)]);
  file.writeUInt32LE(packed.length, at + packed.length + 20); // its packed size in the directory
  file.writeUInt32LE(at + packed.length, file.length - 6); // where the directory is
  const zip = await scratch.write('c.npz', file);
  await assert.rejects(readNpz(zip, ['mu']), refusal(/mu\.npy cannot be unpacked: .*too many bytes/));
});

test('metadata of ONNX that are no protocol buffer are refused in words', async () => {
  const pairs: [string, Buffer][] = [
    ['a group', Buffer.from([0x0c])],
    ['a number without end', Buffer.alloc(11, 0xff)],
  ];
  for (const [what, bytes] of pairs) {
    const file = await scratch.write(`${what}.onnx`, block(14, bytes));
    await assert.rejects(
      readOnnxMetadata(file),
      refusal(/this is no ONNX file, or a damaged one: the field at 0/),
      what,
    );
  }
});
