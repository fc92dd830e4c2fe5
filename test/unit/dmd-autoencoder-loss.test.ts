/** The autoencoder's loss against its formulas, on one of four numbers: every 2 x 2 square becomes one latent number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import type { Tensor } from '../../backend/graph/graph.ts';
import { add, downsample2, mul, upsample2 } from '../../backend/graph/ops/index.ts';
import { collectParameters, type ParameterSource } from '../../backend/graph/parameters.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { LatentProgram, Spread } from '../../backend/sampling/latent-programs.ts';
import { type AutoencoderLossWeights, autoencoderLossGraph } from '../../backend/teach/autoencoder-loss.ts';
import { uniform } from '../random.ts';

const number = (source: ParameterSource, name: string) => source.get(name, [1], { kind: 'ones' });
const encode = (source: ParameterSource, images: Tensor) => {
  const squares = downsample2(images, [1, 1]);
  return {
    mean: mul(squares, number(source, 'gain')),
    logVariance: add(mul(squares, number(source, 'slope')), number(source, 'base')),
  };
};
const decode = (source: ParameterSource, latents: Tensor) =>
  mul(upsample2(latents, [1, 1], { gain: 4 }), number(source, 'back'));
const network = {
  layout: collectParameters((source) =>
    decode(
      source,
      add(
        encode(source, source.graph.input('x', [1, 1, 4, 4])).mean,
        encode(source, source.graph.input('y', [1, 1, 4, 4])).logVariance,
      ),
    ),
  ),
  ...{ imageChannels: 1, latentChannels: 1, downFactor: 2, encode, decode },
};
const [batch, size] = [3, 6];
const imageShape = [batch, 1, size, size];
const latentShape = [batch, 1, size / 2, size / 2];

/** All of it once more, in float64. */
function byHand(
  [gain, slope, base, back]: readonly number[],
  images: Float32Array,
  noise: Float32Array,
  { distance, edges, kl }: AutoencoderLossWeights,
) {
  const far = (x: number) => (distance === 'l1' ? Math.abs(x) : x * x);
  const half = size / 2;
  const error = new Float64Array(images.length);
  const at = (b: number, y: number, x: number) => (b * size + y) * size + x;
  let divergence = 0;
  noise.forEach((z, i) => {
    const [b, y, x] = [Math.floor(i / half ** 2), Math.floor(i / half) % half, i % half];
    const places = [0, 1].flatMap((dy) => [0, 1].map((dx) => at(b, 2 * y + dy, 2 * x + dx)));
    const square = places.reduce((sum, place) => sum + images[place], 0) / 4;
    const [mean, spread] = [gain * square, slope * square + base];
    divergence += (0.5 * (mean ** 2 + Math.exp(spread) - spread - 1)) / noise.length;
    for (const place of places) error[place] = back * (mean + Math.exp(spread / 2) * z) - images[place];
  });
  let [reconstruction, steps] = [0, 0];
  const count = batch * size * (size - 1);
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        reconstruction += far(error[at(b, y, x)]) / images.length;
        if (x + 1 < size) steps += (0.5 * far(error[at(b, y, x + 1)] - error[at(b, y, x)])) / count;
        if (y + 1 < size) steps += (0.5 * far(error[at(b, y + 1, x)] - error[at(b, y, x)])) / count;
      }
    }
  }
  return { reconstruction, edges: steps, kl: divergence, loss: reconstruction + edges * steps + kl * divergence };
}

for (const [distance, trains] of [
  ['l1', 'all'],
  ['l2', 'all'],
  ['l2', 'decoder'],
] as const) {
  test(`loss, parts and gradient with ${distance} of ${trains}`, async () => {
    // What does not train the encoder leaves its divergence out.
    const weights = { distance, edges: 0.7, kl: trains === 'all' ? 0.03 : 0 };
    const random = stream(uniform(), 'autoencoder loss');
    const [images, noise] = [random.randn(sizeOf(imageShape)), random.randn(sizeOf(latentShape))];
    const parameters = [0.8, 0.5, -1, 1.1];
    assert.deepEqual(
      network.layout.entries.map(({ name }) => name),
      ['gain', 'slope', 'base', 'back'],
    );
    const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
    try {
      const program = await engine.compile(autoencoderLossGraph(network, size, batch, weights, trains));
      const results = await program.run({
        parameters: { shape: [4], data: Float32Array.from(parameters) },
        images: { shape: imageShape, data: images },
        noise: { shape: latentShape, data: noise },
      });
      const expected = byHand(parameters, images, noise, weights);
      for (const [name, value] of Object.entries(expected)) {
        const [actual] = await results[name].read();
        assert.ok(Math.abs(actual - value) <= 1e-5 * (1 + Math.abs(value)), `${name}: ${actual}, expected ${value}`);
      }
      const gradient = await results.gradient.read();
      const stays = trains === 'decoder' ? 3 : 0;
      assert.deepEqual(
        [...gradient.slice(0, stays)].map(Math.abs),
        Array(stays).fill(0),
        'gain, slope and base are the encoder',
      );
      for (const [i, value] of [...parameters.entries()].slice(stays)) {
        const shifted = (by: number) => byHand(parameters.with(i, value + by), images, noise, weights).loss;
        const difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        assert.ok(
          Math.abs(gradient[i] - difference) <= 1e-3 * (1 + Math.abs(difference)),
          `d/d${network.layout.entries[i].name}: ${gradient[i]}, expected ${difference}`,
        );
      }
    } finally {
      await engine.dispose();
    }
  });
}

test('an encoder gives scaled means, a decoder takes them back, and there and back needs no scale', async () => {
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const values = { gain: 2, slope: 9, base: 9, back: 3 };
  const weights = new Map(
    Object.entries(values).map(([name, value]) => [name, { shape: [1], data: Float32Array.of(value) }]),
  );
  const images = { shape: [1, 1, 2, 2], data: Float32Array.of(1, 2, 3, 6) };
  const make = (what: 'encode' | 'decode' | 'reconstruct', own: typeof weights | null) =>
    LatentProgram.create(engine, what, { network, size: 2, batch: 1, weights: own, scale: 0.5 });
  try {
    const latents = await (await make('encode', weights)).run(images);
    assert.deepEqual(latents, { shape: [1, 1, 1, 1], data: Float32Array.of(3) });
    assert.deepEqual([...(await (await make('decode', weights)).run(latents)).data], [18, 18, 18, 18]);
    const flat = { shape: [4], data: Float32Array.from(Object.values(values)) };
    assert.deepEqual([...(await (await make('reconstruct', null)).run(images, [flat])).data], [18, 18, 18, 18]);
  } finally {
    await engine.dispose();
  }
});

test('the spread of numbers that come in parts is that of all of them', () => {
  const spread = new Spread();
  spread.add(Float32Array.of(1, 2));
  spread.add(Float32Array.of(6));
  assert.ok(Math.abs(spread.deviation - Math.sqrt(14 / 3)) < 1e-9);
});
