/** LPIPS against the authors' code, with the case's own weights, which follow an integer hash. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { add, mul, sum } from '../../backend/graph/ops/index.ts';
import { constantParameters } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { lpips, lpipsLayers, lpipsWeights } from '../../backend/nets/index.ts';
import { resizeBilinear } from '../../backend/nets/perceptual/bilinear.ts';
import { maxPool2 } from '../../backend/nets/perceptual/vgg16.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { recordedLpipsWeights } from './lpips-weights.ts';
import { readCaseArrays, readCaseJson } from './read-case.ts';

const { arrays, weight_formula } = readCaseJson<{
  arrays: Record<string, { tolerance: number; tolerance_rms_rel?: number }>;
  weight_formula: { check: { name: string; index: number; value: number }[] };
}>('lpips-vgg');
const weights = recordedLpipsWeights();

test('the weight formula gives the recorded values', () => {
  for (const { name, index, value } of weight_formula.check) {
    assert.equal(weights.get(name)?.data[index], Math.fround(value), name);
  }
});

test('distances, layers and gradients', async () => {
  const io = readCaseArrays('lpips-vgg');
  const graph = new Graph();
  const source = constantParameters(graph, weights);
  const a = graph.input('image0', io.image0.shape);
  const b = graph.input('image1', io.image1.shape);
  const distance = lpips(source, a, b);
  graph.output('distance', distance);
  graph.output('per_layer', lpipsLayers(source, a, b));
  graph.output('distance_same', lpips(source, a, a));
  const unitRange = (image: Tensor) => mul(add(image, 1), 0.5);
  graph.output('distance_normalize', lpips(source, unitRange(a), unitRange(b), { normalize: true }));
  const [gradA, gradB] = gradients(sum(distance), [a, b]);
  graph.output('grad_image0', gradA);
  graph.output('grad_image1', gradB);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const program = await engine.compile(graph);
    const results = await program.run({ image0: io.image0, image1: io.image1 });
    for (const [key, result] of Object.entries(results)) {
      const { tolerance, tolerance_rms_rel: rms } = arrays[key];
      const { largest, root } = errors(await result.read(), io[key].data);
      assert.ok(largest <= tolerance, `${key}: largest error ${largest}, allowed ${tolerance}`);
      if (rms !== undefined) assert.ok(root <= rms, `${key}: RMS error ${root}, allowed ${rms}`);
    }
  } finally {
    await engine.dispose();
  }
});

/** Largest error over the largest expected value, and RMS error over the RMS of the expected values. */
function errors(actual: Float32Array, expected: Float32Array): { largest: number; root: number } {
  assert.equal(actual.length, expected.length);
  let [worst, top, squares, energy] = [0, 0, 0, 0];
  expected.forEach((value, i) => {
    const error = Math.abs(actual[i] - value);
    worst = Math.max(worst, error);
    top = Math.max(top, Math.abs(value));
    squares += error * error;
    energy += value * value;
  });
  return { largest: worst / (top || 1), root: Math.sqrt(squares / (energy || 1)) };
}

async function run(build: (x: Tensor) => Tensor, x: TensorData) {
  const graph = new Graph();
  const y = build(graph.input('x', x.shape));
  graph.output('y', y);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const results = await (await engine.compile(graph)).run({ x });
    return { shape: results.y.shape, data: [...(await results.y.read())] };
  } finally {
    await engine.dispose();
  }
}

test('pooling takes the largest of 2x2 and drops an odd last row and column', async () => {
  const data = Float32Array.of(3, 1, 9, -4, 2, 9, 9, 9, 9);
  assert.deepEqual(await run(maxPool2, { shape: [1, 1, 3, 3], data }), { shape: [1, 1, 1, 1], data: [3] });
});

test('bilinear resizing puts pixel centres at half-integers and repeats the border', async () => {
  const x = { shape: [1, 1, 2, 2], data: Float32Array.of(0, 4, 8, 12) };
  const wide = await run((t) => resizeBilinear(t, 2, 4), x);
  assert.deepEqual(wide, { shape: [1, 1, 2, 4], data: [0, 1, 3, 4, 8, 9, 11, 12] });
  const tall = await run((t) => resizeBilinear(t, 4, 2), x);
  assert.deepEqual(tall, { shape: [1, 1, 4, 2], data: [0, 4, 2, 6, 6, 10, 8, 12] });
});

test("weights come from LPIPS' names or torchvision's, and a missing one is named", () => {
  const renamed = new Map([...weights].map(([name, value]) => [name.replace(/^net\.slice\d\./, 'features.'), value]));
  assert.deepEqual([...lpipsWeights(renamed, 'a.pth').keys()], [...weights.keys()]);
  renamed.delete('features.12.bias');
  assert.throws(
    () => lpipsWeights(renamed, 'a.pth'),
    (error) =>
      error instanceof UserError && error.kind === 'weights' && /^a\.pth: 'net\.slice3\.12\.bias'/.test(error.message),
  );
});
