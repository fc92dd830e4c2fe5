/** Both samplers on the network of `edm-ddpmpp`: the final images of every recorded run, within its tolerance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ablationSampler } from '../../backend/diffusion/ablation-sampler.ts';
import { edmSampler } from '../../backend/diffusion/edm-sampler.ts';
import type { Denoise } from '../../backend/diffusion/sampler.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { constantParameters } from '../../backend/graph/parameters.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { readCaseArrays, readCaseJson } from './read-case.ts';

interface SamplerCase {
  runs: { output: string; function: 'edm_sampler' | 'ablation_sampler'; args: Record<string, never> }[];
  arrays: Record<string, { tolerance: number }>;
}
const samplers = { edm_sampler: edmSampler, ablation_sampler: ablationSampler };

test('every recorded run ends in the recorded images', async () => {
  const { runs, arrays } = readCaseJson<SamplerCase>('edm-sampler');
  const io = readCaseArrays('edm-sampler');
  const net = createNetwork(readCaseJson<{ config: unknown }>('edm-ddpmpp').config);
  const weights = readCaseArrays('edm-ddpmpp', 'weights');
  const latents = io.latents!;
  const batch = latents.shape[0]!;

  const graph = new Graph();
  const x = graph.input('x', latents.shape);
  const sigma = graph.input('sigma', [batch]);
  const labels = graph.constant(io.class_labels!.shape, io.class_labels!.data);
  graph.output('D', net.denoise(constantParameters(graph, new Map(Object.entries(weights))), x, sigma, labels));

  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const program = await engine.compile(graph, { name: 'denoiser' });
    const denoise: Denoise = async (state, level) => {
      const sigmas = { shape: [batch], data: new Float32Array(batch).fill(level) };
      const { D } = await program.run({ x: { shape: latents.shape, data: state }, sigma: sigmas });
      return D!.read();
    };
    const noise = (n: number, i: number) => io.churn_noise!.data.subarray(i * n, (i + 1) * n);
    assert.equal(runs.length, 17);
    for (const run of runs) {
      const images = await samplers[run.function](denoise, latents.data, run.args, { noise }, net);
      const expected = io[run.output]!.data;
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = images.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k]!)), 0);
      const { tolerance } = arrays[run.output]!;
      assert.ok(worst <= tolerance * largest, `${run.output}: error ${worst / largest}, allowed ${tolerance}`);
    }
  } finally {
    await engine.dispose();
  }
});
