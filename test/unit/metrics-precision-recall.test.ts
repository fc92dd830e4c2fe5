/** Precision and recall: against recorded sets (test/golden/record/precision_recall.py) and against plain loops. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import { precisionRecall } from '../../backend/metrics/precision-recall.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';
import { testSeed } from '../random.ts';

const folder = new URL('../golden/precision-recall/', import.meta.url);
const recorded = (await readSafetensors(fileURLToPath(new URL('io.safetensors', folder)))).tensors;
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<
  string,
  { k: number; precision: number; recall: number }
>;

const recordedCases = Object.entries(expected).map(([name, { k, ...shares }]) => {
  const [real, generated] = ['real', 'generated'].map((side) => toFloat32(recorded.get(`${name}.${side}`)!));
  return { name, k, shares, real: real!, generated: generated! };
});
assert.equal(recordedCases.length, 7);
for (const { name, k, shares, real, generated } of recordedCases) {
  test(`recorded: ${name}`, async () => {
    for (const chunk of [17, 1000]) {
      assert.deepEqual(await precisionRecall(real, generated, { k, chunk }), shares, `blocks of ${chunk}`);
    }
  });
}

function bruteForce(real: TensorData, generated: TensorData, k: number) {
  const rows = ({ shape: [n, dims], data }: TensorData) =>
    Array.from({ length: n }, (_, i) => [...data.subarray(i * dims, (i + 1) * dims)]);
  const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, d) => value - b[d]!));
  const within = (points: number[][], balls: number[][]) => {
    const radii = balls.map(
      (ball, i) =>
        balls
          .filter((_, j) => j !== i)
          .map((other) => distance(ball, other))
          .sort((a, b) => a - b)[k - 1]!,
    );
    return points.filter((point) => balls.some((ball, j) => distance(point, ball) <= radii[j]!)).length / points.length;
  };
  const [a, b] = [rows(real), rows(generated)];
  return { precision: within(b, a), recall: within(a, b) };
}

test('fresh sets of odd sizes, as plain loops have it', async () => {
  const random = new TorchGenerator(testSeed);
  for (const [n, m, dims, k] of [
    [5, 37, 1, 3],
    [41, 23, 3, 2],
    [29, 31, 8, 3],
  ] as const) {
    const real = tensorData([n, dims], random.randn(n * dims));
    const generated = tensorData(
      [m, dims],
      random.randn(m * dims).map((value) => 1.3 * value + 0.2),
    );
    assert.deepEqual(await precisionRecall(real, generated, { k, chunk: 10 }), bruteForce(real, generated, k));
  }
});

test('a set and itself: all inside; copies of one picture cover it alone', async () => {
  const random = new TorchGenerator(5);
  const real = tensorData([20, 3], random.randn(60));
  assert.deepEqual(await precisionRecall(real, real), { precision: 1, recall: 1 });
  const copies = tensorData(
    [20, 3],
    Float32Array.from({ length: 60 }, (_, i) => real.data[i % 3]!),
  );
  assert.deepEqual(await precisionRecall(real, copies), { precision: 1, recall: 1 / 20 });
});

test('the product may come from elsewhere, in float32', async () => {
  const random = new TorchGenerator(6);
  const [real, generated] = [40, 30].map((n) => tensorData([n, 6], random.randn(n * 6)));
  let calls = 0;
  const products = async (a: TensorData, b: TensorData) => {
    calls += 1;
    const [dims, width] = [a.shape[1]!, b.shape[0]!];
    return Float32Array.from({ length: a.shape[0]! * width }, (_, at) => {
      const [i, j] = [Math.floor(at / width), at % width];
      let sum = 0;
      for (let d = 0; d < dims; d++) sum += a.data[i * dims + d]! * b.data[j * dims + d]!;
      return sum;
    });
  };
  const options = { chunk: 16, products };
  assert.deepEqual(await precisionRecall(real!, generated!, options), bruteForce(real!, generated!, 3));
  assert.equal(calls, 9 + 6 + 4 + 6);
});

test('too few pictures are said to be too few', async () => {
  const [few, enough] = [3, 4].map((n) => tensorData([n, 2], new TorchGenerator(n).randn(2 * n)));
  const tooFew = (error: unknown) => error instanceof UserError && /more than 3 pictures/.test(error.message);
  await assert.rejects(precisionRecall(few!, enough!), tooFew);
  await assert.rejects(precisionRecall(enough!, few!), tooFew);
  await assert.rejects(precisionRecall(enough!, tensorData([4, 3], new Float32Array(12))), /features must be \[N, 2\]/);
});
