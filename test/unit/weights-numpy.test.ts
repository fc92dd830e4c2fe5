/** NumPy's files: as NumPy wrote them (test/golden/record/numpy_files.py), and damaged ones. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { readStatistics } from '../../backend/metrics/statistics-file.ts';
import { readNpz } from '../../backend/weights/numpy/npz.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';
import { bytes, refusal, scratchFolder } from './weights/files.ts';

const recorded = (name: string) => fileURLToPath(new URL(`../golden/numpy/${name}.npz`, import.meta.url));
const scratch = scratchFolder();
const mu = [0, 0.25, 0.5];
const sigma = [2, 0.5, 0, 0.5, 3, -0.25, 0, -0.25, 1];

/** A .npy file with the given header and numbers. */
function npy(header: string, numbers: Uint8Array, version = 1): Uint8Array {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return Buffer.concat([bytes(`\x93NUMPY${String.fromCharCode(version)}\0`), length, bytes(header), numbers]);
}
const header = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`;
const doubles = (values: readonly number[]) => new Uint8Array(Float64Array.from(values).buffer);
let files = 0;
const npz = (entries: Record<string, Uint8Array>) => scratch.write(`${files++}.npz`, zipSync(entries));

test('stored and deflated, float64 and float32, the second header version', async () => {
  for (const [name, dtype] of [
    ['stored', 'F64'],
    ['deflated', 'F32'],
  ] as const) {
    const arrays = await readNpz(recorded(name), ['mu', 'sigma']);
    assert.deepEqual([arrays.get('mu')!.dtype, [...arrays.get('mu')!.data]], [dtype, mu]);
    assert.deepEqual([arrays.get('sigma')!.shape, [...arrays.get('sigma')!.data]], [[3, 3], sigma]);
  }
  assert.deepEqual([...(await readNpz(recorded('version2'), ['mu'])).get('mu')!.data], mu);
});

test('every type of number, a scalar, an empty array, columns before rows', async () => {
  const types = ['F64', 'F32', 'F16', 'I64', 'I32', 'I16', 'I8', 'U64', 'U32', 'U16', 'U8', 'BOOL'];
  const names = types.map((_, i) => `d${i}`);
  const arrays = await readNpz(recorded('dtypes'), [...names, 'scalar']);
  assert.deepEqual(
    names.map((name) => arrays.get(name)!.dtype),
    types,
  );
  for (const name of names) {
    const { shape, data } = toFloat32(arrays.get(name)!);
    assert.deepEqual(
      [shape, [...data]],
      [
        [1, 3],
        [1, 0, name === 'd11' ? 1 : 3],
      ],
      name,
    );
  }
  assert.deepEqual(arrays.get('scalar'), { dtype: 'F64', shape: [], data: Float64Array.of(2.5) });
  const order = await readNpz(recorded('order'), ['columns', 'rows', 'none']);
  assert.deepEqual(order.get('columns'), order.get('rows'));
  assert.deepEqual([...order.get('rows')!.data], [...Array(24).keys()]);
  assert.deepEqual(order.get('none')!.shape, [0, 3]);
});

test('what NumPy would have to execute or convert is refused', async () => {
  await assert.rejects(readNpz(recorded('objects'), ['mu']), refusal(/'mu' holds Python objects/));
  assert.equal((await readNpz(recorded('objects'), ['sigma'])).size, 1);
  await assert.rejects(readNpz(recorded('records'), ['mu']), refusal(/'mu' holds records/));
  await assert.rejects(readNpz(recorded('big-endian'), ['mu']), refusal(/'mu' holds >f8/));
  await assert.rejects(readNpz(recorded('deflated'), ['other']), refusal(/'other' holds <U4/));
  await assert.rejects(
    readNpz(recorded('stored'), ['mu', 'nu']),
    refusal(/'nu' is missing; it holds mu\.npy, sigma\.npy/),
  );
});

test('damaged files are refused by name', async () => {
  const refused = async (array: Uint8Array, pattern: RegExp) => {
    await assert.rejects(
      npz({ 'mu.npy': array }).then((path) => readNpz(path, ['mu'])),
      refusal(pattern),
    );
  };
  const plain = header("'<f8'", '(3,)');
  await refused(bytes('hello'), /\d\.npz: 'mu' is not a NumPy array/);
  await refused(npy(plain, doubles(mu), 7), /version 7/);
  await refused(npy(plain, doubles(mu)).subarray(0, 9), /ends within its header/);
  await refused(npy(plain, doubles(mu)).subarray(0, 40), /ends within its header/);
  await refused(npy(plain, doubles([1, 2])), /16 bytes of numbers, its shape needs 24/);
  await refused(npy(header("'<f8'", '(4611686018427387904, 64)'), doubles(mu)), /impossible shape|the size/);
  await refused(npy(header("'<f8'", '(-3,)'), doubles(mu)), /not NumPy's/);
  await refused(npy(header("__import__('os').system('true')", '(3,)'), doubles(mu)), /holds records/);
  await refused(npy(plain.padEnd(60_000), doubles(mu)), /claims a header of 60000 bytes/);
  await refused(npy(plain.padEnd(3e6), doubles(mu), 2), /claims a header of 3000000 bytes/);

  const good = readFileSync(recorded('stored'));
  const cut = await scratch.write('cut.npz', good.subarray(0, 300));
  await assert.rejects(readNpz(cut, ['mu']), refusal(/cut\.npz: this is not a readable \.npz/));
  const flipped = Buffer.from(good);
  flipped[good.indexOf(Buffer.from(Float64Array.of(0.25).buffer)) + 6]! ^= 1;
  const changed = await scratch.write('changed.npz', flipped);
  await assert.rejects(readNpz(changed, ['mu']), refusal(/mu\.npy is damaged: its checksum differs/));
  await assert.rejects(readNpz(scratch.path('none.npz'), ['mu']), refusal(/no such file/));
  await assert.rejects(readNpz(await scratch.write('text.npz', 'x'.repeat(900)), ['mu']), refusal(/not a readable/));
});

test('statistics: what is no mean and covariance of so many features is refused', async () => {
  const read = await readStatistics(recorded('stored'), 3);
  assert.deepEqual([[...read.mean], [...read.covariance]], [mu, sigma]);
  assert.deepEqual(await readStatistics(recorded('deflated'), 3), read);
  const refusedData = (pattern: RegExp) => refusal(pattern, 'data');
  await assert.rejects(
    readStatistics(recorded('stored'), 2048),
    refusedData(/mu is \[3\] and sigma \[3, 3\], where 2048/),
  );
  const statistics = (mean: number[], covariance: number[]) =>
    npz({
      'mu.npy': npy(header("'<f8'", '(2,)'), doubles(mean)),
      'sigma.npy': npy(header("'<f8'", '(2, 2)'), doubles(covariance)),
    });
  await assert.rejects(readStatistics(await statistics([0, Number.NaN], [1, 0, 0, 1]), 2), refusedData(/mu holds NaN/));
  await assert.rejects(
    readStatistics(await statistics([0, 0], [1, 0, 0.1, 1]), 2),
    refusedData(/\[1, 0\] and \[0, 1\]/),
  );
  await assert.rejects(readStatistics(await statistics([0, 0], [1, 0, 0, -1]), 2), refusedData(/\[1, 1\] is negative/));
  assert.equal((await readStatistics(await statistics([0, 0], [1, 0.5, 0.5, 1]), 2)).covariance[1], 0.5);
});
