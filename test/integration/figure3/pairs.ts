/** Noise-image pairs of points, held in memory. */
import { type Mixture, mixtureDenoiser } from '../../../backend/data/mixture.ts';
import { edmSampler } from '../../../backend/diffusion/edm-sampler.ts';
import type { Engine } from '../../../backend/engine/engine.ts';
import { Graph } from '../../../backend/graph/graph.ts';
import { constantParameters } from '../../../backend/graph/parameters.ts';
import type { TensorData } from '../../../backend/graph/tensor-data.ts';
import type { ReferencePairs } from '../../../backend/methods/common/pairs.ts';
import { stream } from '../../../backend/random/stream.ts';

/** A point is an image of one pixel with two channels. */
export const pointShape = (count: number) => [count, 2, 1, 1];

/** Where EDM's deterministic sampler (18 Heun steps from 80) takes the noise `z`, flat [count, 2]. */
export async function samplerPoints(engine: Engine, mixture: Mixture, z: Float32Array): Promise<Float32Array> {
  const count = z.length / 2;
  const graph = new Graph();
  const x = graph.input('x', pointShape(count));
  const sigma = graph.input('sigma', [count]);
  graph.output('denoised', mixtureDenoiser(mixture).denoise(constantParameters(graph, new Map()), x, sigma));
  const program = await engine.compile(graph, { name: 'mixture' });
  const points = await edmSampler(async (data, level) => {
    const { denoised } = await program.run({
      x: { shape: x.shape, data },
      sigma: { shape: sigma.shape, data: new Float32Array(count).fill(level) },
    });
    return (await denoised.read()).slice();
  }, z);
  await program.dispose();
  return Float32Array.from(points);
}

/** Batches drawn from the pairs (z, y), both flat [n, 2], a pure function of seed, step and micro-batch. */
export function fixedPairs(seed: number, z: Float32Array, y: Float32Array): ReferencePairs {
  return {
    async batch(step, micro, count) {
      const chosen = stream(seed, 'chosen pairs', step, micro).randint(0, z.length / 2, count);
      const gather = (from: Float32Array): TensorData => ({
        shape: pointShape(count),
        data: Float32Array.from({ length: 2 * count }, (_, i) => from[2 * chosen[i >> 1] + (i % 2)]),
      });
      return { z: gather(z), y: gather(y), conditions: {} };
    },
  };
}
