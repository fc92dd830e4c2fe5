/** Arrays of NumPy, and what ONNX files say about themselves. */
import { unzipSync } from 'fflate';
import { readStatistics } from '../../../backend/metrics/statistics-file.ts';
import { describeOnnx } from '../../../backend/sampling/onnx-model.ts';
import { readNpz } from '../../../backend/weights/numpy/npz.ts';
import { readOnnxMetadata } from '../../../backend/weights/onnx-metadata.ts';
import type { Dice } from '../dice.ts';
import { damaged } from '../make/bytes.ts';
import { anyMessage, block, field, varint } from '../make/proto.ts';
import { packZip, type ZipPart } from '../make/zip.ts';
import { once, ours, type Reader } from '../reader.ts';
import { all } from './together.ts';
import { metadata } from './weights.ts';

const recorded = ['stored', 'deflated', 'version2', 'order', 'dtypes', 'objects', 'records', 'big-endian'];

export const npz: Reader = {
  name: 'npz',
  read: (folder) =>
    all(
      () => readNpz(`${folder}/a.npz`, ['mu', 'sigma']),
      () => readStatistics(`${folder}/a.npz`, 3),
    ),
  make(dice) {
    if (dice.chance(0.5)) return { 'a.npz': packZip(statistics(dice), dice.chance(0.2) ? dice : undefined) };
    const name = dice.of(recorded);
    if (dice.chance(0.2)) return { 'a.npz': damaged(ours(`test/golden/numpy/${name}.npz`), dice) };
    const content = once(`npz ${name}`, () => unzipSync(ours(`test/golden/numpy/${name}.npz`)));
    const parts = Object.entries(content).map(([entry, bytes]) => ({
      name: entry,
      content: array(bytes, dice),
      store: dice.chance(0.5),
    }));
    return { 'a.npz': packZip(parts, dice.chance(0.6) ? dice : undefined) };
  },
};

const widths = { f2: 2, f4: 4, f8: 8, i1: 1, i4: 4, i8: 8, u1: 1, b1: 1 } as const;

/** mu and sigma as FID programs share them, whole in most of what is looked at first, odd in what is looked at then. */
function statistics(dice: Dice): ZipPart[] {
  const dims = dice.of([3, 3, 3, 0, 1, 64]);
  const parts = ['mu', 'sigma'].map((name) => {
    const shape = name === 'mu' ? [dims] : [dims, dims];
    return { name: `${name}.npy`, content: npyOf(dice, shape), store: dice.chance(0.5) };
  });
  if (dice.chance(0.2)) parts.push({ ...dice.of(parts), name: dice.of(['mu.npy', 'sigma.npy', 'extra.npy', '']) });
  return dice.chance(0.1) ? parts.toReversed() : parts;
}

/** Numbers of a shape under a header with right lengths, of any version, sometimes of other words. */
function npyOf(dice: Dice, shape: readonly number[]): Buffer {
  const kind = dice.of(Object.keys(widths) as (keyof typeof widths)[]);
  const count = shape.reduce((a, b) => a * b, 1);
  const numbers = dice.chance(0.1) ? dice.bytes(count * widths[kind]) : Buffer.alloc(count * widths[kind]);
  const claimed = dice.chance(0.15)
    ? shape.map((size, i) => (i === 0 ? dice.of([size + 1, 0, -1, 1e9, 2 ** 53]) : size))
    : shape;
  const code = `${dice.chance(0.95) ? (kind.endsWith('1') ? '|' : '<') : dice.of(['>', '|', '='])}${kind}`;
  const exact = dice.chance(0.7);
  const fields = [
    `'descr': ${exact ? `'${code}'` : dice.of([`"${code}"`, `[('a', '${code}')]`, `'${code}'`])}`,
    `'fortran_order': ${exact ? dice.of(['False', 'True']) : dice.of(['False', '0', 'None'])}`,
    `'shape': (${claimed.join(', ')}${claimed.length === 1 || (!exact && dice.chance(0.3)) ? ',' : ''})`,
  ];
  if (!exact && dice.chance(0.2)) fields.push(dice.of(fields));
  if (!exact && dice.chance(0.2)) fields.splice(dice.below(3), 1);
  if (!exact && dice.chance(0.2)) fields.reverse();
  const [divider, end] = exact ? [', ', ', }'] : [dice.of([', ', ',', ' ,\n']), dice.of([', }', '}', ''])];
  const text = `{${fields.join(divider)}${end}${' '.repeat(dice.size(dice.chance(0.1) ? 60_000 : 60))}\n`;
  const version = dice.chance(0.05) ? dice.of([0, 9]) : dice.of([1, 1, 2, 3]);
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  const length = dice.chance(0.05) ? dice.of([0, 1, 65_535]) : Math.min(text.length, 65_535);
  if (version === 1) head.writeUInt16LE(length, 8);
  else head.writeUInt32LE(dice.chance(0.05) ? 2 ** 32 - 1 : length, 8);
  const whole = Buffer.concat([head, Buffer.from(text, 'latin1'), numbers]);
  return dice.chance(0.1) ? damaged(whole, dice, 200) : whole;
}

/** A header that NumPy could have written, over as many numbers as before. */
function array(bytes: Uint8Array, dice: Dice): Uint8Array {
  if (dice.chance(0.3)) return bytes;
  if (dice.chance(0.4)) return damaged(bytes, dice, 140);
  const code = dice.of(['<f8', '<f4', '|O', '>f8', '<U9999', '|b1', '<i8']);
  const shape = dice.of([
    '',
    '3,',
    '3, 3',
    '99999999999,',
    '4294967296, 4294967296',
    '0, 99999999',
    `${'1, '.repeat(70)}`,
    '-1,',
    '30000, 30000',
  ]);
  const text = `{'descr': '${code}', 'fortran_order': ${dice.of(['True', 'False'])}, 'shape': (${shape}), }\n`;
  const head = Buffer.from(`\x93NUMPY\x01\0\0\0${text}`, 'latin1');
  head.writeUInt16LE(text.length, 8);
  return Buffer.concat([head, bytes.subarray(128)]);
}

/** Fields of ModelProto, of what is in it, and of metadata. */
const fields = [1, 2, 3, 4, 5, 7, 8, 11, 12, 14];

export const onnx: Reader = {
  name: 'onnx',
  read: (folder) =>
    all(
      () => readOnnxMetadata(`${folder}/a.onnx`),
      () => describeOnnx(`${folder}/a.onnx`),
    ),
  make(dice) {
    const entries = Object.entries({ ...metadata(dice), 'dmd.step': '5' });
    const props = entries.map(([key, value]) =>
      block(14, Buffer.concat([block(1, Buffer.from(key)), block(2, Buffer.from(value))])),
    );
    const head = Buffer.concat([
      field(1, 0),
      varint(8),
      block(7, dice.chance(0.5) ? anyMessage(dice, fields) : Buffer.alloc(40)),
    ]);
    const file = dice.chance(0.6)
      ? Buffer.concat([head, ...props])
      : Buffer.concat([anyMessage(dice, fields), ...props]);
    return { 'a.onnx': dice.chance(0.3) ? damaged(file, dice) : file };
  },
};
