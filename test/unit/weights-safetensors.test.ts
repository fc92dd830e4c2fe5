/** safetensors: what is written comes back, what does not fit is refused by name, a file is replaced whole or not at all. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../../backend/weights/safetensors.ts';
import { type StoredTensor, toFloat32 } from '../../backend/weights/stored-tensor.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();

const samples: [string, StoredTensor][] = [
  ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['flags', { dtype: 'BOOL', shape: [1, 5], data: Uint8Array.of(0, 1, 1, 0, 1) }],
  ['halves', { dtype: 'F16', shape: [3, 1], data: Uint16Array.of(0x3c00, 0xc000, 1) }],
  ['bfloats', { dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3fc0) }],
  ['floats', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1.5, -0, 3e-39, Number.NaN, -1 / 0, 7) }],
  ['doubles', { dtype: 'F64', shape: [], data: Float64Array.of(Math.PI) }],
  ['longs', { dtype: 'I64', shape: [2], data: BigInt64Array.of(-5n, 2n ** 62n) }],
  ['none', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
  ['__proto__', { dtype: 'I16', shape: [1], data: Int16Array.of(-300) }],
  ['a "quoted" \n name: {', { dtype: 'I8', shape: [1], data: Int8Array.of(-3) }],
];

test('every dtype comes back from memory and from disk, in its own dtype', async () => {
  const path = scratch.path('all.safetensors');
  const metadata = { 'dmd.network': '{"class":"EDMPrecond"}', note: 'ünïcode' };
  await writeSafetensors(path, samples, { metadata });
  const fromDisk = await readSafetensors(path);
  const fromMemory = decodeSafetensors(encodeSafetensors(samples, { metadata }));
  for (const { tensors, metadata: readBack } of [fromDisk, fromMemory]) {
    assert.deepEqual(readBack, metadata);
    assert.equal(tensors.size, samples.length);
    for (const [name, tensor] of samples) assert.deepEqual(tensors.get(name), tensor, name);
  }
  assert.deepEqual(await readFile(path), Buffer.from(encodeSafetensors(samples, { metadata })));
});

test('widened values are the ones stored', () => {
  const widened = Object.fromEntries(samples.map(([name, tensor]) => [name, Array.from(toFloat32(tensor).data)]));
  assert.deepEqual(widened.halves, [1, -2, 2 ** -24]);
  assert.deepEqual(widened.bfloats, [1.5]);
  assert.deepEqual(widened.doubles, [Math.fround(Math.PI)]);
  assert.deepEqual(widened.longs, [-5, 2 ** 62]);
  assert.deepEqual(widened.flags, [0, 1, 1, 0, 1]);
});

test('float16 on request, and never an infinity that was none', () => {
  const data = Float32Array.of(1.0009765, -65504, 1 / 0, Number.NaN);
  const { tensors } = decodeSafetensors(encodeSafetensors([['w', { shape: [4], data }]], { dtype: 'F16' }));
  assert.equal(tensors.get('w')?.dtype, 'F16');
  assert.deepEqual(Array.from(toFloat32(tensors.get('w') as StoredTensor).data), [
    1.0009765625,
    -65504,
    1 / 0,
    Number.NaN,
  ]);
  const tooLarge = { shape: [1], data: Float32Array.of(70000) };
  assert.throws(() => encodeSafetensors([['scale', tooLarge]], { dtype: 'F16' }), refusal(/scale holds 70000/));
});

test('tensors start at a multiple of their item size', () => {
  const bytes = encodeSafetensors(samples);
  const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.equal(header % 8, 0);
  const entries = JSON.parse(Buffer.from(bytes.subarray(8, header)).toString()) as Record<string, Entry>;
  for (const [name, tensor] of samples) {
    assert.equal(entries[name].data_offsets[0] % tensor.data.BYTES_PER_ELEMENT, 0, name);
  }
});

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: number[];
}

/** A file from a header's text and so many bytes of data. */
function file(header: string, dataLength: number, claimed = Buffer.byteLength(header)): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(claimed));
  return Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(dataLength, 0xa5)]);
}

const f32 = (shape: unknown, begin: number, end: number) =>
  `{"dtype":"F32","shape":${JSON.stringify(shape)},"data_offsets":[${begin},${end}]}`;

const bad: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ['nothing', new Uint8Array(0), /at least 8 bytes/],
  ['a header over 100 MB', file('{}', 0, 100_000_001), /100000001 bytes, more than/],
  ['a header of 2^63 bytes', file('{}', 0, 2 ** 63), /more than/],
  ['a header longer than the file', file('{}', 5, 8), /cut off/],
  ['no JSON', file('{"a":', 0), /not JSON/],
  ['no object', file('[]', 0), /does not start with/],
  ['not UTF-8', Buffer.concat([file('', 0, 4), Buffer.from([0x7b, 0xff, 0xfe, 0x7d])]), /UTF-8/],
  [
    'a repeated name',
    file(`{"w":${f32([1], 0, 4)},"b":${f32([1], 0, 4)},"\\u0077":${f32([1], 4, 8)}}`, 8),
    /'w' twice/,
  ],
  ['a repeated field', file('{"w":{"dtype":"F32","shape":[1],"shape" :[1],"data_offsets":[0,4]}}', 4), /'shape' twice/],
  ['an overlap', file(`{"a":${f32([2], 0, 8)},"b":${f32([1], 4, 8)}}`, 8), /'b' overlaps/],
  ['a gap', file(`{"a":${f32([1], 0, 4)},"b":${f32([1], 8, 12)}}`, 12), /bytes 4 to 8/],
  ['a gap at the start', file(`{"a":${f32([1], 4, 8)}}`, 8), /bytes 0 to 4/],
  ['a truncated file', file(`{"a":${f32([4], 0, 16)}}`, 15), /only 15 are there/],
  ['bytes too many', file(`{"a":${f32([1], 0, 4)}}`, 5), /1 bytes follow/],
  [
    'a range that does not fit the shape',
    file(`{"a":${f32([3], 0, 8)}}`, 8),
    /'a' is F32 \[3\], 12 bytes, but its range holds 8/,
  ],
  ['a negative size', file(`{"a":${f32([-1, -2], 0, 8)}}`, 8), /size -1/],
  ['a fractional size', file(`{"a":${f32([0.5, 4], 0, 8)}}`, 8), /size 0.5/],
  ['sizes that overflow', file(`{"a":${f32([2 ** 40, 2 ** 40], 0, 8)}}`, 8), /impossible shape/],
  ['huge sizes times zero', file(`{"a":${f32([2 ** 52, 2 ** 52, 0], 0, 0)}}`, 0), /impossible shape/],
  ['65 dimensions', file(`{"a":${f32(Array(65).fill(1), 0, 4)}}`, 4), /65 dimensions/],
  ['a range backwards', file(`{"a":${f32([1], 4, 0)}}`, 4), /impossible byte range/],
  ['a range of three', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4), /data_offsets/],
  ['an unknown dtype', file('{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', 1), /F8_E4M3/],
  ['a dtype from the prototype', file('{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,1]}}', 1), /toString/],
  ['an unknown field', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}', 1), /field 'x'/],
  ['metadata that is no text', file('{"__metadata__":{"a":1}}', 0), /__metadata__ 'a'/],
  ['an entry that is no object', file('{"a":null}', 0), /'a'/],
];

for (const [what, bytes, message] of bad) {
  test(`refused: ${what}`, async () => {
    assert.throws(
      () => decodeSafetensors(bytes, 'w.safetensors'),
      refusal(new RegExp(`^w.safetensors: .*${message.source}`)),
    );
    const path = scratch.path('bad.safetensors');
    await writeFile(path, bytes);
    await assert.rejects(readSafetensors(path), refusal(new RegExp(`^${path}: .*${message.source}`)));
  });
}

test('a failed write leaves the old file and no debris', async () => {
  const path = scratch.path('kept.safetensors');
  await writeSafetensors(path, samples);
  const before = await readFile(path);
  const names = await readdir(scratch.path());
  await assert.rejects(
    writeSafetensors(path, [['w', { shape: [1], data: Float32Array.of(1e9) }]], { dtype: 'F16' }),
    refusal(/kept.safetensors: w holds 1000000000/),
  );
  assert.deepEqual(await readFile(path), before);
  assert.deepEqual(await readdir(scratch.path()), names);
  await assert.rejects(writeSafetensors(scratch.path('no/such/w.safetensors'), samples), refusal(/ENOENT/, 'io'));
  await assert.rejects(writeSafetensors(scratch.path(), samples), refusal(/cannot write/, 'io'));
  assert.deepEqual(await readdir(scratch.path()), names);
});

test('a missing file and a folder are named', async () => {
  await assert.rejects(readSafetensors(scratch.path('absent')), refusal(/absent: no such file/));
  await assert.rejects(readSafetensors(scratch.path()), refusal(/is a folder/));
});

test('what the system refuses to open is an io error', async () => {
  await assert.rejects(readSafetensors(scratch.path('x'.repeat(5000))), refusal(/cannot read .*ENAMETOOLONG/, 'io'));
});

test('two tensors of one name are a mistake of the caller', () => {
  const one = { shape: [1], data: Float32Array.of(1) };
  assert.throws(
    () =>
      encodeSafetensors([
        ['w', one],
        ['w', one],
      ]),
    /names must differ/,
  );
  assert.throws(() => encodeSafetensors([['__metadata__', one]]), /__metadata__/);
  assert.throws(() => encodeSafetensors([['w', { shape: [2], data: Float32Array.of(1) }]]), /holds 1 numbers/);
});
