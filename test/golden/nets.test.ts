/**
 * Networks and preconditionings against what the authors' code computed: outputs, noise conditions and gradients, each
 * within the tolerance recorded with it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { mul, reshape, sliceAxis, sum } from '../../backend/graph/ops/index.ts';
import type { ParameterSource } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { createNetwork, type Network, type NetworkOptions } from '../../backend/nets/index.ts';
import { iddpmLevels, nearestLevel } from '../../backend/nets/precond/iddpm.ts';
import { vpSigma, vpTime } from '../../backend/nets/precond/vp.ts';
import { readCaseArrays, readCaseJson } from './read-case.ts';

interface Case {
  config: Record<string, unknown>;
  arrays: Record<string, { role: string; shape: number[]; tolerance: number }>;
  scalars: Record<string, { value: number; tolerance: number }>;
}

const forwardCases = ['edm-ddpmpp', 'edm-ncsnpp', 'edm-adm', 'edm-eps-songunet', 'edm-eps-adm'];
const precondCases = ['precond-vp', 'precond-ve', 'precond-iddpm'];

/** Parameters and arrays of a case as inputs of one graph, each declared when it is first asked for. */
function caseGraph(name: string) {
  const io = readCaseArrays(name);
  const weights = readCaseArrays(name, 'weights');
  const graph = new Graph();
  const feeds: Record<string, TensorData> = {};
  const tensors = new Map<string, Tensor>();
  const declare = (key: string, value: TensorData | undefined): Tensor => {
    assert.ok(value, `the case has no '${key}'`);
    const known = tensors.get(key);
    if (known) return known;
    const tensor = graph.input(key, value.shape);
    feeds[key] = value;
    tensors.set(key, tensor);
    return tensor;
  };
  const source: ParameterSource = { graph, get: (key) => declare(key, weights[key]) };
  return { graph, feeds, source, input: (key: string) => declare(key, io[key]), io, weights };
}

/** Compares every output of the graph with the recorded array of its name. */
async function runAndCompare(name: string, graph: Graph, feeds: Record<string, TensorData>): Promise<void> {
  const { arrays } = readCaseJson<Case>(name);
  const io = readCaseArrays(name);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const program = await engine.compile(graph, { name });
    const results = await program.run(feeds);
    for (const [key, result] of Object.entries(results)) {
      assert.deepEqual(result.shape, arrays[key].shape, key);
      assertClose(key, await result.read(), io[key].data, arrays[key].tolerance);
    }
  } finally {
    await engine.dispose();
  }
}

/** max |actual - expected| <= tolerance * max |expected|; NaN is never close. */
function assertClose(key: string, actual: ArrayLike<number>, expected: Float32Array, tolerance: number): void {
  assert.equal(actual.length, expected.length, key);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0);
  assert.ok(worst <= tolerance * largest, `${key}: error ${worst / largest} of the largest, allowed ${tolerance}`);
}

function forwardGraph(name: string, options?: NetworkOptions) {
  const built = caseGraph(name);
  const { graph, source, input, io } = built;
  const { arrays, config } = readCaseJson<Case>(name);
  const net = createNetwork(config, options);
  const x = input('x');
  const sigma = input('sigma');
  const labels = 'class_labels' in io ? input('class_labels') : null;
  const denoised = net.denoise(source, x, sigma, labels);
  graph.output('D', denoised);
  if ('D_nolabel' in arrays) graph.output('D_nolabel', net.denoise(source, x, sigma, null));
  if ('D_augment' in arrays) {
    graph.output('D_augment', net.denoise(source, x, sigma, labels, { augmentLabels: input('augment_labels') }));
  }
  if ('F_x' in arrays) graph.output('F_x', rawOutput(net, source, x, sigma, labels, arrays.F_x.shape[0]));
  const { noise } = net.coefficients(sigma);
  graph.output('c_noise', noise);
  if ('map_noise_out' in arrays) graph.output('map_noise_out', net.noiseEmbedding(source, noise));
  return { ...built, arrays, denoised };
}

/** Recorded for all samples, or for sample 1 alone. */
function rawOutput(
  net: Network,
  source: ParameterSource,
  x: Tensor,
  sigma: Tensor,
  labels: Tensor | null,
  batch: number,
) {
  const pick = (tensor: Tensor) => (batch === x.shape[0] ? tensor : sliceAxis(tensor, 0, 1, 1 + batch));
  return net.denoise(source, pick(x), pick(sigma), labels && pick(labels), { rawOutput: true });
}

function addGradients({ graph, source, input, arrays, denoised }: ReturnType<typeof forwardGraph>): void {
  const wanted = Object.keys(arrays).filter((key) => key.startsWith('grad'));
  const loss = reshape(sum(mul(denoised, input('g'))), []);
  const tensors = wanted.map((key) =>
    key === 'grad_x' ? input('x') : source.get(key.slice('grad:'.length), arrays[key].shape, { kind: 'zeros' }),
  );
  gradients(loss, tensors).forEach((gradient, i) => {
    graph.output(wanted[i], gradient);
  });
  assert.ok(wanted.length >= 1);
}

for (const name of [...forwardCases, ...precondCases]) {
  test(`${name}: parameters have the original's names and shapes`, () => {
    const net = createNetwork(readCaseJson<Case>(name).config);
    // Filters and the table of noise levels are computed, not loaded.
    const recorded = Object.entries(readCaseArrays(name, 'weights'))
      .filter(([key]) => !key.endsWith('resample_filter') && key !== 'u')
      .map(([key, { shape }]) => [key, shape] as const);
    const declared = net.layout.entries.map(({ name: key, shape }) => [key, shape] as const);
    assert.deepEqual(new Map(declared), new Map(recorded));
  });

  test(`${name}: outputs and gradients`, async () => {
    const built = forwardGraph(name);
    if ('g' in built.io) addGradients(built);
    await runAndCompare(name, built.graph, built.feeds);
  });
}

test('edm-ddpmpp and edm-adm: the same gradients with recomputed blocks', async () => {
  for (const name of ['edm-ddpmpp', 'edm-adm']) {
    const built = forwardGraph(name, { recompute: 'blocks' });
    addGradients(built);
    await runAndCompare(name, built.graph, built.feeds);
  }
});

for (const name of precondCases) {
  test(`${name}: noise levels`, () => {
    const { config, scalars, arrays } = readCaseJson<Case>(name);
    const io = readCaseArrays(name);
    const net = createNetwork(config);
    for (const [key, actual] of [
      ['sigma_min', net.sigmaMin],
      ['sigma_max', net.sigmaMax],
    ] as const) {
      const { value, tolerance } = scalars[key];
      assert.ok(Math.abs(actual - value) <= tolerance * value, `${key}: ${actual}, recorded ${value}`);
    }
    const rounded = Array.from(io.round_in.data, net.roundSigma);
    assertClose('round_out', rounded, io.round_out.data, arrays.round_out.tolerance);
  });
}

test('precond-vp: noise level and time', () => {
  const { config, arrays } = readCaseJson<Case>('precond-vp');
  const io = readCaseArrays('precond-vp');
  const vp = createNetwork(config).config;
  assert.ok(vp.class === 'VPPrecond');
  const sigmas = Array.from(io.t.data, (t) => vpSigma(vp, t));
  assertClose('sigma_of_t', sigmas, io.sigma_of_t.data, arrays.sigma_of_t.tolerance);
  const times = sigmas.map((sigma) => vpTime(vp, sigma));
  assertClose('t_of_sigma', times, io.t_of_sigma.data, arrays.t_of_sigma.tolerance);
});

test('precond-iddpm: table of noise levels and nearest index', () => {
  const { config, arrays } = readCaseJson<Case>('precond-iddpm');
  const io = readCaseArrays('precond-iddpm');
  const iddpm = createNetwork(config).config;
  assert.ok(iddpm.class === 'iDDPMPrecond');
  const levels = iddpmLevels(iddpm);
  assertClose('u', levels, io.u.data, arrays.u.tolerance);
  assert.deepEqual(
    Array.from(io.round_in.data, (sigma) => nearestLevel(levels, sigma)),
    Array.from(io.round_index.data),
  );
});
