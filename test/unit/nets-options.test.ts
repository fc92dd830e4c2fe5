/**
 * Every constructor option of the networks: each builds, gives the same output and gradients on both executors, has the
 * parameters the original would have, and changes the output where it should (and only there).
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { createTensorflowEngine } from '../../backend/engine/tensorflow/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { mean, square } from '../../backend/graph/ops/index.ts';
import { flatten, parameterInputs } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { createNetwork, type Network, type NetworkOptions } from '../../backend/nets/index.ts';
import { stream } from '../../backend/random/stream.ts';

const song = {
  class: 'EDMPrecond',
  img_resolution: 4,
  img_channels: 2,
  label_dim: 3,
  model_type: 'SongUNet',
  model_channels: 4,
  channel_mult: [1, 2],
  channel_mult_emb: 2,
  num_blocks: 1,
  attn_resolutions: [2],
};
const adm = { ...song, model_type: 'DhariwalUNet' };
const mlp = { class: 'EDMPrecond', img_resolution: 1, img_channels: 2, model_type: 'MLP', model_channels: 12 };

let ort: Engine;
let tf: Engine;
ort = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
tf = await createTensorflowEngine({ backend: 'cpu' });
after(async () => {
  await ort.dispose();
  await tf.dispose();
});

/** Random numbers that depend on the name only, so that networks with a parameter in common agree on its values. */
function named(name: string, shape: readonly number[]): TensorData {
  return { shape, data: stream(3, name).randn(sizeOf(shape)) };
}

/** As `named`, each sample from a stream of its own: a smaller batch is the beginning of a larger one. */
function batchOf(name: string, shape: readonly number[]): TensorData {
  const size = sizeOf(shape.slice(1));
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < shape[0]; i++) data.set(stream(3, name, i).randn(size), i * size);
  return { shape, data };
}

/** Every parameter random, so that nothing that starts at zero hides a branch. */
function parametersOf(net: Network): TensorData {
  const data = new Float32Array(net.layout.size);
  for (const { name, shape, offset } of net.layout.entries) {
    const scale = shape.length > 1 ? 1.5 / Math.sqrt(sizeOf(shape.slice(1))) : 0.3;
    const center = /norm\d?\.weight$/.test(name) ? 1 : 0;
    data.set(
      named(name, shape).data.map((value) => center + scale * value),
      offset,
    );
  }
  return { shape: [net.layout.size], data };
}

interface Result {
  denoised: Float32Array;
  gradient: Float32Array;
}

async function evaluate(engine: Engine, config: object, options?: NetworkOptions, batch = 2): Promise<Result> {
  const net = createNetwork(config, options);
  const graph = new Graph();
  const parameters = parameterInputs(graph, 'parameters', net.layout);
  const shape = [batch, ...net.imageShape];
  const feeds: Record<string, TensorData> = {
    parameters: parametersOf(net),
    x: batchOf('x', shape),
    sigma: { shape: [batch], data: Float32Array.from({ length: batch }, (_, i) => 0.3 * 2 ** i) },
  };
  const conditional = (name: string, size: number) => {
    if (size === 0) return null;
    feeds[name] = batchOf(name, [batch, size]);
    return graph.input(name, [batch, size]);
  };
  const labels = conditional('labels', net.labelDim);
  const augmentLabels = conditional('augmentLabels', net.augmentDim);
  const x = graph.input('x', shape);
  const denoised = net.denoise(parameters, x, graph.input('sigma', [batch]), labels, { augmentLabels });
  graph.output('denoised', denoised);
  graph.output('gradient', flatten(gradients(mean(square(denoised)), parameters.tensors)));
  const program = await engine.compile(graph);
  const results = await program.run(feeds);
  const read = async (name: string) => (await results[name].read()).slice();
  return { denoised: await read('denoised'), gradient: await read('gradient') };
}

function distance(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(Number.isFinite(largest) && largest > 0, 'finite and not all zero');
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0) / largest;
}

/** Option under test, and whether the output must differ from the base network's. */
const variants: [base: object, change: object, effect: 'changes' | 'nothing'][] = [
  [song, { label_dim: 0 }, 'changes'],
  [song, { augment_dim: 4 }, 'changes'],
  [song, { dropout: 0.5 }, 'nothing'],
  [song, { label_dropout: 0.5 }, 'nothing'],
  [song, { use_fp16: true }, 'nothing'],
  [song, { channel_mult: [1, 2, 1] }, 'changes'],
  [song, { channel_mult: [2] }, 'changes'],
  [song, { channel_mult_emb: 3 }, 'changes'],
  [song, { num_blocks: 0 }, 'changes'],
  [song, { num_blocks: 2 }, 'changes'],
  [song, { attn_resolutions: [] }, 'changes'],
  [song, { attn_resolutions: [4, 2] }, 'changes'],
  [song, { embedding_type: 'fourier' }, 'changes'],
  [song, { channel_mult_noise: 2 }, 'changes'],
  [song, { encoder_type: 'skip' }, 'changes'],
  [song, { encoder_type: 'residual', channel_mult: [1, 2, 2] }, 'changes'],
  [song, { decoder_type: 'skip' }, 'changes'],
  [song, { decoder_type: 'skip', encoder_type: 'residual', resample_filter: [1, 3, 3, 1] }, 'changes'],
  [song, { resample_filter: [1, 3, 3, 1] }, 'changes'],
  [song, { resample_filter: [1, 2, 5, 5, 2, 1] }, 'changes'],
  [song, { sigma_data: 0.8 }, 'changes'],
  [song, { class: 'VPPrecond' }, 'changes'],
  [song, { class: 'VPPrecond', beta_d: 10, beta_min: 0.3, M: 200 }, 'changes'],
  [song, { class: 'VEPrecond' }, 'changes'],
  [song, { class: 'iDDPMPrecond', M: 50 }, 'changes'],
  [adm, { label_dim: 0 }, 'changes'],
  [adm, { augment_dim: 4 }, 'changes'],
  [adm, { channel_mult_emb: 3 }, 'changes'],
  [adm, { channel_mult: [2, 1, 2], num_blocks: 2 }, 'changes'],
  [adm, { model_channels: 64, channel_mult: [1], num_blocks: 0, img_resolution: 2 }, 'changes'],
  [adm, { class: 'iDDPMPrecond' }, 'changes'],
  [adm, { dropout: 0.5 }, 'nothing'],
  [mlp, { label_dim: 4 }, 'changes'],
  [mlp, { num_blocks: 2 }, 'changes'],
  [mlp, { class: 'VEPrecond' }, 'changes'],
];

const plainResults = new Map<object, Promise<Result>>();
function plain(base: object): Promise<Result> {
  if (!plainResults.has(base)) plainResults.set(base, evaluate(ort, base));
  return plainResults.get(base)!;
}

for (const [base, change, effect] of variants) {
  const { model_type: model } = base as { model_type: string };
  test(`${model} with ${JSON.stringify(change)}`, async () => {
    const config = { ...base, ...change };
    const changed = await evaluate(ort, config);
    const { denoised } = await plain(base);
    const moved = denoised.length === changed.denoised.length ? distance(denoised, changed.denoised) : Infinity;
    if (effect === 'nothing') return assert.equal(moved, 0);
    assert.ok(moved > 1e-3, `the output moved by ${moved} only`);
    const oracle = await evaluate(tf, config);
    assert.ok(distance(oracle.denoised, changed.denoised) < 1e-5, 'denoised: executors differ');
    assert.ok(distance(oracle.gradient, changed.gradient) < 1e-4, 'gradient: executors differ');
  });
}

test('recomputed blocks change nothing but memory', async () => {
  for (const base of [song, adm]) {
    const [kept, again] = [await evaluate(ort, base), await evaluate(ort, base, { recompute: 'blocks' })];
    assert.ok(distance(kept.denoised, again.denoised) < 1e-6);
    assert.ok(distance(kept.gradient, again.gradient) < 1e-5);
  }
});

test('a sample does not depend on the batch it comes in', async () => {
  for (const base of [song, adm, mlp]) {
    const [three, one] = [await evaluate(ort, base, {}, 3), await evaluate(ort, base, {}, 1)];
    const size = one.denoised.length;
    assert.ok(distance(one.denoised, three.denoised.subarray(0, size)) < 1e-5);
    assert.ok(distance(one.denoised, three.denoised.subarray(size, 2 * size)) > 1e-2);
  }
});
