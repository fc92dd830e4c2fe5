import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import { symmetricEigenvalues } from '../../backend/metrics/eigenvalues.ts';
import { FeatureAccumulator, featureStatistics } from '../../backend/metrics/feature-statistics.ts';
import { frechetDistance } from '../../backend/metrics/frechet.ts';
import { addTimesTransposed, timesTransposed } from '../../backend/metrics/matrix.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { readCaseArrays, readCaseJson } from '../golden/read-case.ts';

const generator = new TorchGenerator(2024);
const normals = (n: number, dims: number) => tensorData([n, dims], generator.randn(n * dims));

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string) {
  assert.equal(actual.length, expected.length, `${what}: length`);
  const size = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < actual.length; i++) {
    const gap = Math.abs(actual[i]! - expected[i]!);
    assert.ok(gap <= tolerance * size, `${what}[${i}]: ${actual[i]}, expected ${expected[i]}`);
  }
}

/** The same features among more: the new ones are constant and say nothing. */
function widen({ shape, data }: TensorData, dims: number): TensorData {
  const [n, from] = shape as [number, number];
  const wide = new Float32Array(n * dims).fill(0.5);
  for (let i = 0; i < n; i++) wide.set(data.subarray(i * from, (i + 1) * from), i * dims + 1);
  return tensorData([n, dims], wide);
}

test('recorded sets: mean, covariance and distance as pytorch-fid computes them', () => {
  const arrays = readCaseArrays('fid-distance');
  const { config, scalars } = readCaseJson<{
    config: { sets: { name: string }[] };
    scalars: Record<string, { value: number; tolerance?: number }>;
  }>('fid-distance');
  assert.equal(config.sets.length, 3);
  for (const { name } of config.sets) {
    const both = [1, 2].map((k) => {
      const statistics = featureStatistics(arrays[`${name}.features${k}`]!);
      assertNear(statistics.mean, arrays[`${name}.mu${k}`]!.data, 1e-6, `${name}.mu${k}`);
      assertNear(statistics.covariance, arrays[`${name}.sigma${k}`]!.data, 1e-6, `${name}.sigma${k}`);
      return statistics;
    });
    const { value, tolerance } = scalars[`${name}.fid`]!;
    assertNear([frechetDistance(both[0]!, both[1]!)], [value], tolerance!, `${name}.fid`);
    assertNear([frechetDistance(both[1]!, both[0]!)], [value], tolerance!, `${name}.fid, swapped`);
    // Where it is singular too: much nearer than the recorded tolerance, and nearer than the exact value is (2.4e-8).
    assertNear([frechetDistance(both[0]!, both[1]!)], [value], 8e-9, `${name}.fid, closely`);
    const self = frechetDistance(both[0]!, both[0]!);
    assert.ok(Math.abs(self) < 1e-4, `${name}: distance to itself ${self}`);
  }
});

test('independent features: the distance of the published formula', () => {
  const dims = 7;
  const diagonal = (values: number[]) =>
    Float64Array.from({ length: dims * dims }, (_, i) => (i % (dims + 1) === 0 ? values[i / (dims + 1)]! : 0));
  const [s1, s2] = [1, 2].map(() => Array.from(generator.rand(dims), (value) => 0.1 + 3 * value)) as [
    number[],
    number[],
  ];
  const [m1, m2] = [1, 2].map(() => Float64Array.from(generator.randn(dims))) as [Float64Array, Float64Array];
  const expected = s1.reduce((sum, s, d) => sum + (m1[d]! - m2[d]!) ** 2 + (Math.sqrt(s) - Math.sqrt(s2[d]!)) ** 2, 0);
  const distance = frechetDistance(
    { count: 9, mean: m1, covariance: diagonal(s1) },
    { count: 9, mean: m2, covariance: diagonal(s2) },
  );
  assertNear([distance], [expected], 1e-12, 'distance');
});

test('features that never vary change nothing, few of them or many', () => {
  const [a, b] = [normals(40, 3), normals(30, 3)];
  const distance = frechetDistance(featureStatistics(a), featureStatistics(b));
  for (const dims of [20, 530]) {
    const wide = frechetDistance(featureStatistics(widen(a, dims)), featureStatistics(widen(b, dims)));
    assertNear([wide], [distance], 1e-6, `${dims} features`);
  }
});

test('degenerate sets: two pictures, equal pictures, one feature', () => {
  const constant = featureStatistics(tensorData([4, 6], new Float32Array(24).fill(2)));
  assert.equal(frechetDistance(constant, constant), 0);
  const pair = featureStatistics(normals(2, 6));
  const trace = [0, 1, 2, 3, 4, 5].reduce((sum, d) => sum + pair.covariance[d * 7]!, 0);
  const gap = pair.mean.reduce((sum, mean) => sum + (mean - 2) ** 2, 0);
  assertNear([frechetDistance(pair, constant)], [trace + gap], 1e-12, 'to a point');
  assert.ok(Math.abs(frechetDistance(pair, pair)) < 1e-6);
  const one = [3, 5].map((scale) => featureStatistics(tensorData([2, 1], Float32Array.of(-scale, scale))));
  assertNear([frechetDistance(one[0]!, one[1]!)], [2 * 2 ** 2], 1e-12, 'one feature');
  for (let n = 2; n < 40; n++) {
    const [a, b] = [featureStatistics(normals(n, 24)), featureStatistics(normals(41 - n, 24))];
    assert.ok(frechetDistance(a, b) > 0, `${n} pictures`);
  }
});

test('batches of any size give the statistics of the whole, also far from zero', () => {
  const dims = 5;
  const whole = normals(37, dims);
  for (let k = 0; k < whole.data.length; k++) whole.data[k]! += 4096;
  const accumulator = new FeatureAccumulator();
  for (let from = 0, n = 1; from < 37; from += n, n = Math.min(2 * n, 37 - from)) {
    accumulator.add(tensorData([n, dims], whole.data.slice(from * dims, (from + n) * dims)));
  }
  const [batched, atOnce] = [accumulator.statistics(), featureStatistics(whole)];
  assert.equal(batched.count, 37);
  assertNear(batched.mean, atOnce.mean, 1e-15, 'mean');
  assertNear(batched.covariance, atOnce.covariance, 1e-12, 'covariance');
  // Two passes, entry by entry.
  const at = (i: number, d: number) => whole.data[i * dims + d]!;
  const rows = Array.from({ length: 37 }, (_, i) => i);
  for (let d = 0; d < dims; d++) {
    const mean = rows.reduce((sum, i) => sum + at(i, d), 0) / 37;
    const other = rows.reduce((sum, i) => sum + at(i, 0), 0) / 37;
    const covariance = rows.reduce((sum, i) => sum + (at(i, d) - mean) * (at(i, 0) - other), 0) / 36;
    assertNear([atOnce.covariance[d]!, atOnce.covariance[d * dims]!], [covariance, covariance], 1e-10, `entry ${d}`);
  }
});

test('features that cannot be used are refused', () => {
  const accumulator = new FeatureAccumulator();
  assert.throws(() => accumulator.statistics(), { kind: 'data', message: /at least 2 pictures, got 0/ });
  accumulator.add(normals(1, 3));
  assert.throws(() => accumulator.statistics(), { kind: 'data', message: /got 1/ });
  assert.throws(() => accumulator.add(normals(1, 4)), /features of 4 numbers after 3/);
  const poisoned = tensorData([2, 3], Float32Array.of(0, 0, 0, 0, Number.NaN, 0));
  assert.throws(() => accumulator.add(poisoned), { kind: 'numeric', message: /Features 1 to 2 hold NaN or Inf/ });
  assert.throws(() => accumulator.add(tensorData([4], new Float32Array(4))), /must be \[N, D\], got \[4\]/);
  const [three, four] = [featureStatistics(normals(5, 3)), featureStatistics(normals(5, 4))];
  assert.throws(() => frechetDistance(three, four), /of 3 and of 4/);
});

test('products and eigenvalues are those of ml-matrix', () => {
  for (const [m, n, inner] of [
    [1, 1, 1],
    [5, 3, 7],
    [8, 9, 2],
    [13, 6, 20],
  ] as const) {
    const [a, b] = [new Matrix(rows(m, inner)), new Matrix(rows(n, inner))];
    const expected = a.mmul(b.transpose()).to1DArray();
    const flat = (matrix: Matrix) => Float64Array.from(matrix.to1DArray());
    assertNear(timesTransposed(flat(a), flat(b), inner), expected, 1e-14, `product ${m} ${n} ${inner}`);
    const lower = addTimesTransposed(flat(a), flat(a), inner, new Float64Array(m * m).fill(1), { lowerOnly: true });
    const gram = a.mmul(a.transpose());
    for (let i = 0; i < m; i++) {
      for (let j = 0; j <= i; j++) assertNear([lower[i * m + j]!], [gram.get(i, j) + 1], 1e-13, `gram ${i} ${j}`);
    }
  }
  for (const n of [1, 2, 3, 10, 45]) {
    const square = new Matrix(rows(n, n));
    for (const symmetric of [Matrix.add(square, square.transpose()), square.mmul(square.transpose()), Matrix.eye(n)]) {
      const { realEigenvalues } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
      const values = symmetricEigenvalues(Float64Array.from(symmetric.to1DArray()), n);
      assertNear(
        values,
        realEigenvalues.sort((x, y) => x - y),
        1e-13,
        `eigenvalues of ${n}`,
      );
    }
  }
  const broken = Float64Array.of(1, 0, Number.NaN, 1);
  assert.throws(() => symmetricEigenvalues(broken, 2), /no convergence/);
});

function rows(m: number, n: number): number[][] {
  return Array.from({ length: m }, () => [...generator.randn(n)]);
}
