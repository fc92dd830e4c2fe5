/** The mixture's denoiser against Tweedie's formula on the log-density itself, and its samples against its moments. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Mixture, mixtureDenoiser, sampleMixture } from '../../backend/data/mixture.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { constantParameters } from '../../backend/graph/parameters.ts';
import { stream } from '../../backend/random/stream.ts';

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => engine.dispose());

const mixtures: Mixture[] = [
  { modes: [[0.7, -0.2]], std: 0.3 },
  {
    modes: [
      [-0.6, 0.1],
      [0.5, 0.3],
    ],
    std: 0.1,
  },
  {
    modes: [
      [1, 0, 0.2],
      [-0.5, 0.9, 0],
      [-0.4, -0.8, -0.6],
    ],
    std: 0.25,
  },
  {
    modes: [
      [-0.6, 0.1],
      [0.5, 0.3],
      [0.2, -0.4],
    ],
    std: 0.1,
    stds: [0.05, 0.3, 0.12],
  },
];

/** log of the density of mixture + sigma * noise, up to a constant. */
function logDensity({ modes, std, stds }: Mixture, point: readonly number[], sigma: number): number {
  const exponents = modes.map((mode, k) => {
    const variance = (stds?.[k] ?? std) ** 2 + sigma ** 2;
    const square = mode.reduce((sum, c, i) => sum + (point[i] - c) ** 2, 0);
    return -square / (2 * variance) - (mode.length / 2) * Math.log(variance);
  });
  const most = Math.max(...exponents);
  return most + Math.log(exponents.reduce((sum, e) => sum + Math.exp(e - most), 0));
}

/** D = x + sigma^2 grad log p(x; sigma), by central differences. */
function tweedie(mixture: Mixture, point: readonly number[], sigma: number): number[] {
  const step = 1e-5 * Math.max(1, sigma);
  return point.map((value, axis) => {
    const at = (shift: number) => logDensity(mixture, point.with(axis, value + shift), sigma);
    return value + (sigma ** 2 * (at(step) - at(-step))) / (2 * step);
  });
}

async function denoise(mixture: Mixture, points: number[][], sigmas: number[]): Promise<Float32Array> {
  const graph = new Graph();
  const denoiser = mixtureDenoiser(mixture);
  const x = graph.input('x', [points.length, ...denoiser.imageShape]);
  const sigma = graph.input('sigma', [points.length]);
  graph.output('denoised', denoiser.denoise(constantParameters(graph, new Map()), x, sigma));
  const program = await engine.compile(graph);
  const { denoised } = await program.run({
    x: { shape: x.shape, data: Float32Array.from(points.flat()) },
    sigma: { shape: sigma.shape, data: Float32Array.from(sigmas) },
  });
  assert.deepEqual(denoised.shape, x.shape);
  return denoised.read();
}

test('the denoiser is x + sigma^2 times the score, from small noise to large, for one to three modes', async () => {
  for (const [m, mixture] of mixtures.entries()) {
    const random = stream(11, 'points', m);
    const sigmas = [0.01, 0.05, 0.15, 0.4, 1, 5, 20].map(Math.fround);
    const points = sigmas.map((sigma) => {
      const around = sampleMixture(mixture, random, 1);
      const noise = random.randn(around.length);
      return Array.from(around, (value, i) => Math.fround(value + sigma * noise[i]));
    });
    const denoised = await denoise(mixture, points, sigmas);
    const expected = points.flatMap((point, i) => tweedie(mixture, point, sigmas[i]));
    expected.forEach((value, i) => {
      assert.ok(Math.abs(denoised[i] - value) < 2e-4, `mixture ${m}, number ${i}: ${denoised[i]}, expected ${value}`);
    });
  }
});

test('far out, and at noise 80, it stays finite and gives the nearest mode and the mean of the modes', async () => {
  const mixture = mixtures[1];
  const denoised = await denoise(
    mixture,
    [
      [-3000, 2],
      [0, 0],
    ],
    [0.002, 80],
  );
  // At noise 0.002 the std of 0.1 hardly pulls: D stays within 1/2500 of the way to the mode.
  assert.ok(Math.abs(denoised[0] / -3000 - 1) < 1e-3, `${denoised[0]}`);
  assert.ok(Math.abs(denoised[2] - -0.05) < 1e-3 && Math.abs(denoised[3] - 0.2) < 1e-3, `${denoised.slice(2)}`);
});

test('samples have the mixture’s moments, and the same stream gives the same ones', () => {
  const mixture = mixtures[2];
  const count = 30_000;
  const points = sampleMixture(mixture, stream(3, 'samples'), count);
  assert.equal(points.length, 3 * count);
  for (const axis of [0, 1, 2]) {
    const centres = mixture.modes.map((mode) => mode[axis]);
    const mean = centres.reduce((sum, c) => sum + c, 0) / 3;
    const variance = mixture.std ** 2 + centres.reduce((sum, c) => sum + (c - mean) ** 2, 0) / 3;
    const own = points.filter((_, i) => i % 3 === axis);
    const ownMean = own.reduce((sum, value) => sum + value, 0) / count;
    const ownVariance = own.reduce((sum, value) => sum + (value - ownMean) ** 2, 0) / count;
    assert.ok(
      Math.abs(ownMean - mean) < 5 * Math.sqrt(variance / count),
      `mean along ${axis}: ${ownMean}, not ${mean}`,
    );
    assert.ok(Math.abs(ownVariance / variance - 1) < 0.05, `variance along ${axis}: ${ownVariance}, not ${variance}`);
  }
  assert.deepEqual(sampleMixture(mixture, stream(3, 'samples'), count), points);
});

test('a mixture without modes, width or one dimension is refused', () => {
  const refused: Mixture[] = [
    { modes: [], std: 1 },
    { modes: [[]], std: 1 },
    { modes: [[0, 0], [1]], std: 1 },
    { modes: [[0, 0]], std: 0 },
    { modes: [[0, 0]], std: 0.1, stds: [0.1, 0.1] },
    { modes: [[0, 0]], std: 0.1, stds: [0] },
    { modes: [[0, 0]], std: Number.NaN },
  ];
  for (const mixture of refused) assert.throws(() => mixtureDenoiser(mixture), /a mixture needs/);
});
