/** PyTorch files made by hand: views of every kind, damaged archives, and finding the weights in a checkpoint. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { loadWeights } from '../../backend/weights/load.ts';
import { readTorchFile } from '../../backend/weights/torch/read.ts';
import {
  bytes,
  dict,
  float32Bytes,
  integer,
  refusal,
  scratchFolder,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
  uint32,
  type View,
} from './weights/files.ts';

const scratch = scratchFolder();
const values = Array.from({ length: 24 }, (_, i) => i * 1.5 - 7);
const storages = { 0: float32Bytes(values) };

/** The tensor of one view of `values`, through a zip and through a legacy file, which must agree. */
async function readView(view: Omit<View, 'count'>): Promise<{ shape: readonly number[]; data: number[] }> {
  const whole = { count: values.length, ...view };
  const zip = await scratch.write('view.pt', torchZip(dict({ w: tensor(whole) }), storages));
  const legacyPickle = dict({ w: tensor(whole, 'N') });
  const legacy = await scratch.write('view.pth', torchLegacy(legacyPickle, [['0', values.length, storages[0]]]));
  const [a, b] = [await loadWeights(zip), await loadWeights(legacy)];
  assert.deepEqual([a.format, b.format], ['torch-zip', 'torch-legacy']);
  assert.deepEqual(a.tensors, b.tensors);
  const { shape, data } = a.tensors.get('w')!;
  return { shape, data: Array.from(data) };
}

/** What PyTorch's indexing rule gives. */
function expectedView({ shape, strides, offset = 0 }: Omit<View, 'count'>): number[] {
  const visit = (axis: number, index: number): number[] =>
    axis === shape.length
      ? [values[index]]
      : Array.from({ length: shape[axis] }, (_, i) => visit(axis + 1, index + i * strides[axis])).flat();
  return visit(0, offset);
}

const views: [string, Omit<View, 'count'>][] = [
  ['contiguous', { shape: [4, 6], strides: [6, 1] }],
  ['contiguous with an offset', { shape: [3, 2], strides: [2, 1], offset: 5 }],
  ['transposed', { shape: [6, 4], strides: [1, 6] }],
  ['permuted', { shape: [2, 3, 4], strides: [4, 8, 1] }],
  ['every second', { shape: [5], strides: [2], offset: 3 }],
  ['expanded', { shape: [3, 2, 4], strides: [0, 4, 1] }],
  ['overlapping windows', { shape: [10, 5], strides: [2, 1] }],
  ['sizes of one have any stride', { shape: [1, 4, 1, 6], strides: [99999, 6, 77777, 1] }],
  ['a scalar', { shape: [], strides: [], offset: 23 }],
  ['empty', { shape: [2, 0, 3], strides: [3, 3, 1], offset: 24 }],
];

for (const [what, view] of views) {
  test(`view: ${what}`, async () => {
    assert.deepEqual(await readView(view), { shape: view.shape, data: expectedView(view) });
  });
}

test('narrow and wide items keep every bit through strides, at any alignment', async () => {
  const items: [string, string, Uint8Array][] = [
    ['torch\nByteStorage', 'U8', Uint8Array.of(1, 2, 3, 4, 5, 6)],
    ['torch\nHalfStorage', 'F16', new Uint8Array(Uint16Array.of(0x7c01, 2, 3, 0xfe00, 5, 6).buffer)],
    ['torch\nFloatStorage', 'F32', new Uint8Array(Uint32Array.of(0x7f800001, 2, 3, 4, 5, 6).buffer)],
    ['torch\nDoubleStorage', 'F64', new Uint8Array(BigUint64Array.of(0x7ff0000000000001n, 2n, 3n, 4n, 5n, 6n).buffer)],
  ];
  for (const [type, dtype, content] of items) {
    const width = content.length / 6;
    const rows = [0, 3, 1, 4, 2, 5].map((i) => content.subarray(i * width, (i + 1) * width));
    // A longer name each time moves the raw bytes of a legacy file by one.
    for (const name of ['w', 'ww', 'www', 'wwww']) {
      const pickle = dict({ [name]: tensor({ type, count: 6, shape: [3, 2], strides: [1, 3] }, 'N') });
      const path = await scratch.write('bits.pth', torchLegacy(pickle, [['0', 6, content]]));
      const stored = (await readTorchFile(path)).tensors.get(name)!;
      assert.equal(stored.dtype, dtype);
      assert.deepEqual(Buffer.from(stored.data.buffer), Buffer.concat(rows), `${dtype} ${name}`);
    }
  }
});

test('two views of one storage do not share memory', async () => {
  const view = (offset: number) => tensor({ count: 24, offset, shape: [4], strides: [1] });
  const path = await scratch.write('shared.pt', torchZip(dict({ a: view(0), b: view(2) }), storages));
  const { tensors } = await loadWeights(path);
  tensors.get('a')!.data.fill(-1);
  assert.deepEqual(Array.from(tensors.get('b')!.data), values.slice(2, 6));
});

test('an untyped storage read as float16, as newer PyTorch writes its newer types', async () => {
  const id = tuple(text('storage'), 'ctorch.storage\nUntypedStorage\n', text('0'), text('cpu'), integer(6));
  const args = tuple(`${id}Q`, integer(1), tuple(integer(2)), tuple(integer(1)), '\x89', 'N', 'ctorch\nfloat16\n', 'N');
  const pickle = dict({ w: `ctorch._utils\n_rebuild_tensor_v3\n${args}R` });
  const halves = new Uint8Array(Uint16Array.of(0, 0x3c00, 0xc000).buffer);
  const { tensors } = await loadWeights(await scratch.write('v3.pt', torchZip(pickle, { 0: halves })));
  assert.deepEqual(Array.from(tensors.get('w')!.data), [1, -2]);
});

const w = tensor({ count: 24, shape: [24], strides: [1] });
const good = dict({ w });
const size = (shape: number[], strides: number[], offset = 0) =>
  dict({ w: tensor({ count: 24, shape, strides, offset }) });

/** [what, the file, what the refusal says] */
const bad: [string, Uint8Array, RegExp][] = [
  ['a view past the end by its offset', torchZip(size([24], [1], 1), storages), /reaches past its storage of 24/],
  ['a view past the end by its stride', torchZip(size([2, 2], [23, 2]), storages), /reaches past/],
  ['sizes that overflow', torchZip(size([2 ** 30, 2 ** 30], [0, 0]), storages), /impossible shape/],
  ['strides that overflow', torchZip(size([2 ** 30, 2], [2 ** 30, 2 ** 30]), storages), /reaches past/],
  ['fewer strides than sizes', torchZip(size([2, 2], [1]), storages), /2 sizes and 1 strides/],
  ['a negative stride', torchZip(size([2], [-1]), storages), /stride -1/],
  ['a negative offset', torchZip(size([2], [1], -1), storages), /offset -1/],
  ['a size that is a text', torchZip(good.replace(`${integer(24)}t`, `${text('9')}t`), storages), /size 9|size '9'/],
  ['a tiny file expanded to 16 GB', torchZip(size([2 ** 16, 2 ** 16], [0, 0]), storages), /far more memory/],
  ['a missing storage', torchZip(good), /data\/0 is missing/],
  ['a storage with less than it claims', torchZip(good, { 0: new Uint8Array(92) }), /92 bytes, not the 96/],
  ['a storage with more than it claims', torchZip(good, { 0: new Uint8Array(100) }), /100 bytes, not the 96/],
  [
    'one storage described twice',
    torchZip(dict({ a: w, b: tensor({ count: 6, shape: [6], strides: [1] }) }), storages),
    /two ways/,
  ],
  ['no data.pkl', zipSync({ 'a/b.png': bytes('x') }), /has no data.pkl/],
  ['two archives in one', torchZip(good, storages, { 'b/data.pkl': bytes('N.') }), /several data.pkl/],
  ['a TorchScript program', torchZip(good, storages, { 'archive/constants.pkl': bytes('N.') }), /TorchScript/],
  ['a big-endian archive', torchZip(good, storages, { 'archive/byteorder': bytes('big') }), /big-endian/],
  ['a compressed archive', zipSync({ 'archive/data.pkl': bytes(`\x80\x02${'N0'.repeat(99)}N.`) }), /compressed/],
  ['an empty zip', zipSync({}), /has no data.pkl/],
  ['a flipped bit in a storage', flipped(torchZip(good, storages), '\x00\x00\xe0\xc0'), /data\/0 is damaged/],
  ['a flipped bit in the pickle', flipped(torchZip(good, storages), 'FloatStorage'), /data.pkl is damaged/],
  ['no tensors at all', torchZip(dict({ step: integer(3) }), storages), /no weights, but a dictionary with 'step'/],
  ['no dictionary', torchZip(integer(3)), /no weights, but 3/],
  ['a sparse tensor', torchZip('ctorch._utils\n_rebuild_sparse_tensor\n'), /_rebuild_sparse_tensor/],
  ['a lazily negated tensor', torchZip(`}${text('w')}${lazy('neg')}s`, storages), /lazy neg view/],
  ['two sets of weights', torchZip(dict({ left: dict({ w }), right: dict({ w }) }), storages), /left and right/],
  ['a dictionary in itself', torchZip('}q\x00X\x01\0\0\0ah\x00s'), /no weights/],
  ['a legacy file cut in a storage', torchLegacy(legacy(), [['0', 24, new Uint8Array(95)]]), /ends early/],
  ['a legacy file without its storage', torchLegacy(legacy(), []), /storage 0 is not in the file/],
  [
    'a legacy storage of another count',
    torchLegacy(legacy(), [['0', 23, new Uint8Array(92)]]),
    /23 numbers, not the 24/,
  ],
  ['a legacy storage nobody uses', torchLegacy(legacy(), [['9', 1, new Uint8Array(4)]]), /'9', which no tensor uses/],
  ['a big-endian legacy file', torchLegacy(legacy(), [['0', 24, storages[0]]], false), /big-endian/],
  ['the pickle of a zip without the zip', bytes(`\x80\x02${good}.`), /kept outside the pickle/],
];

function legacy(): string {
  return dict({ w: tensor({ count: 24, shape: [24], strides: [1] }, 'N') });
}

function lazy(kind: string): string {
  return w.replace('ccollections\nOrderedDict\n)R', `N}${text(kind)}\x88s`);
}

/** One bit changed in the middle of the first place where `content` is. */
function flipped(file: Uint8Array, content: string): Uint8Array {
  const at = Buffer.from(file).indexOf(content, 0, 'latin1');
  assert.ok(at > 0, 'the bytes to damage are not there');
  file[at + 2] ^= 1;
  return file;
}

for (const [what, file, message] of bad) {
  test(`refused: ${what}`, async () => {
    const path = await scratch.write('bad.bin', file);
    await assert.rejects(loadWeights(path), refusal(new RegExp(`^${path}: .*(${message.source})`)));
  });
}

test('views that add up to more than the file are refused before memory is taken', async () => {
  const count = 2 ** 20;
  const many = Array.from({ length: 100 }, (_, i) => [`w${i}`, tensor({ count, shape: [count], strides: [1] })]);
  const path = await scratch.write(
    'many.pt',
    torchZip(dict(Object.fromEntries(many)), { 0: new Uint8Array(4 * count) }),
  );
  await assert.rejects(loadWeights(path), refusal(/far more memory/));
});

const two = { a: tensor({ count: 24, shape: [2], strides: [1] }), n: integer(1) };
const other = { a: tensor({ count: 24, offset: 9, shape: [2], strides: [1] }) };

/** [what, the pickle, where the weights are] */
const checkpoints: [string, string, string[]][] = [
  ['a bare state dict', dict(two), []],
  ['under model, beside the optimizer', dict({ optimizer: dict({ state: dict(other) }), model: dict(two) }), ['model']],
  ['the average is preferred', dict({ model: dict(other), ema: dict(two) }), ['ema']],
  ['an average without weights is passed over', dict({ ema: dict({ decay: integer(1) }), net: dict(two) }), ['net']],
  ['two levels down', dict({ state_dict: dict({ model: dict(two) }) }), ['state_dict', 'model']],
  ['under a name of its own', dict({ step: integer(1), student: dict(two) }), ['student']],
  ['beside a loose tensor', dict({ state_dict: dict(two), sigma: other.a }), ['state_dict']],
];

for (const [what, pickle, path] of checkpoints) {
  test(`checkpoint: ${what}`, async () => {
    const found = await readTorchFile(await scratch.write('checkpoint.pt', torchZip(pickle, storages)));
    assert.deepEqual(found.path, path);
    assert.deepEqual([...found.tensors.keys()], ['a']);
    assert.deepEqual(found.tensors.get('a')!.data, Float32Array.from(values.slice(0, 2)));
  });
}

test('a storage saved inside a plain pickle', async () => {
  const blob = torchLegacy(`(${text('storage')}ctorch\nFloatStorage\n${text('7')}${text('cpu')}${integer(24)}NtQ`, [
    ['7', 24, storages[0]],
  ]);
  const inner = `ctorch.storage\n_load_from_bytes\n(B${uint32(blob.length)}${blob.toString('latin1')}tR`;
  const args = tuple(inner, integer(0), tuple(integer(6), integer(4)), tuple(integer(1), integer(6)), '\x89', 'N');
  const path = await scratch.write(
    'plain.pkl',
    bytes(`\x80\x02${dict({ w: `ctorch._utils\n_rebuild_tensor_v2\n${args}R` })}.`),
  );
  const { tensors, format } = await loadWeights(path);
  assert.equal(format, 'pickle');
  assert.deepEqual(Array.from(tensors.get('w')!.data), expectedView({ shape: [6, 4], strides: [1, 6] }));
});
