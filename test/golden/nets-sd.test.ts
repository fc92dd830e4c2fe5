/**
 * The networks of Stable Diffusion against diffusers and transformers (record/stable_diffusion.py): outputs, gradients of the
 * inputs number by number and of every parameter by its length and one product; and the full-size networks' parameters.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { add, mul, sum } from '../../backend/graph/ops/index.ts';
import {
  flatParameters,
  flatten,
  type ParameterLayout,
  type ParameterSource,
  packParameters,
} from '../../backend/graph/parameters.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import {
  createAutoencoderKL,
  createAutoencoderTiny,
  createClipText,
  createTextUNet,
  type TextUNetOptions,
} from '../../backend/nets/stable-diffusion/index.ts';
import { readCaseArrays, readCaseJson } from './read-case.ts';
import { gradientDirection, recordedSdWeights } from './sd-weights.ts';

/** Relative to the largest number. */
const tolerance = 1e-4;

interface Case {
  config: Record<string, unknown>;
  outputs: string[];
  /** Of every parameter the outputs depend on: length of the gradient, and its product with the direction. */
  gradients: Record<string, [length: number, product: number]>;
}

interface Model {
  readonly layout: ParameterLayout;
  /** Outputs by the recorded names. */
  run(source: ParameterSource, input: (name: string) => Tensor): Record<string, Tensor>;
}

function modelOf(name: string, config: Record<string, unknown>, options?: TextUNetOptions): Model {
  if (name.startsWith('unet')) {
    const { layout, predict } = createTextUNet(config, options);
    const run: Model['run'] = (source, input) => ({
      prediction: predict(source, input('sample'), input('timestep'), input('context')),
    });
    return { layout, run };
  }
  if (name.startsWith('clip')) {
    const { layout, encode } = createClipText(config, { clipSkip: name.endsWith('skip') ? 1 : 0 });
    return { layout, run: (source, input) => ({ hidden: encode(source, input('ids')) }) };
  }
  const create = name === 'autoencoder-tiny' ? createAutoencoderTiny : createAutoencoderKL;
  const { layout, encode, decode } = create(config);
  const run: Model['run'] = (source, input) => {
    const { mean, logVariance } = encode(source, input('images'));
    const decoded = decode(source, input('latents'));
    const results: Record<string, Tensor> = { decoded, mean };
    if (logVariance) results.log_variance = logVariance;
    return results;
  };
  return { layout, run };
}

const folder = (name: string) => `../cases-sd/${name}`;
const cases = readdirSync(new URL('cases-sd', import.meta.url)).filter((name) => !name.endsWith('.json'));
assert.equal(cases.length, 9);

for (const name of cases) {
  test(`${name}: outputs and gradients`, () => compare(name));
}

test('unet-sd1 and unet-sd2: the same gradients with recomputed blocks', async () => {
  for (const name of ['unet-sd1', 'unet-sd2']) await compare(name, { recompute: 'blocks' });
});

async function compare(name: string, options?: TextUNetOptions): Promise<void> {
  const { config, outputs, gradients: recorded } = readCaseJson<Case>(folder(name));
  const io = readCaseArrays(folder(name));
  const { layout, run } = modelOf(name, config, options);
  const graph = new Graph();
  const flat = graph.input('parameters', [layout.size]);
  const source = flatParameters(layout, [flat]);
  const input = (key: string) => graph.inputs.get(key) ?? graph.input(key, io[key].shape);
  const results = run(source, input);
  assert.deepEqual(Object.keys(results).sort(), [...outputs].sort());
  let loss: Tensor | null = null;
  for (const [key, result] of Object.entries(results)) {
    graph.output(key, result);
    const part = sum(mul(result, input(`g_${key}`)));
    loss = loss ? add(loss, part) : part;
  }
  const inputs = Object.keys(io).filter((key) => key.startsWith('grad_'));
  const named = layout.entries.filter((entry) => entry.name in recorded);
  assert.equal(named.length, Object.keys(recorded).length, 'parameters that have a recorded gradient');
  const wanted = [
    ...inputs.map((key) => input(key.slice('grad_'.length))),
    ...named.map((entry) => source.get(entry.name, entry.shape, entry.init)),
  ];
  const found = gradients(loss!, wanted);
  inputs.forEach((key, i) => {
    graph.output(key, found[i]);
  });
  graph.output('gradients', flatten(found.slice(inputs.length)));

  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const program = await engine.compile(graph, { name });
    const parameters = { shape: [layout.size], data: packParameters(layout, recordedSdWeights(layout)) };
    const feeds = [...graph.inputs.keys()].map((key) => [key, key === 'parameters' ? parameters : io[key]] as const);
    const actual = await program.run(Object.fromEntries(feeds));
    for (const key of [...outputs, ...inputs]) {
      assert.deepEqual(actual[key].shape, io[key].shape, key);
      assertClose(key, await actual[key].read(), io[key].data);
    }
    assertGradients(named, await actual.gradients.read(), recorded);
  } finally {
    await engine.dispose();
  }
}

/** max |actual - expected| <= tolerance * max |expected|; NaN is never close. */
function assertClose(key: string, actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length, key);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0);
  assert.ok(worst <= tolerance * largest, `${key}: error ${worst / largest} of the largest, allowed ${tolerance}`);
}

/** Some gradients are 0 but for rounding (the keys' bias shifts all scores alike): measured by the largest one then. */
function assertGradients(named: ParameterLayout['entries'], flat: Float32Array, recorded: Case['gradients']): void {
  const longest = Math.max(...Object.values(recorded).map(([length]) => length));
  let start = 0;
  for (const { name, shape } of named) {
    const gradient = flat.subarray(start, start + sizeOf(shape));
    start += gradient.length;
    const direction = gradientDirection(name, gradient.length);
    const [length, product] = recorded[name];
    const allowed = tolerance * Math.max(length, 1e-3 * longest);
    const actual = Math.sqrt(gradient.reduce((total, value) => total + value * value, 0));
    const along = gradient.reduce((total, value, i) => total + value * direction[i], 0);
    assert.ok(Math.abs(actual - length) <= allowed, `gradient of ${name}: length ${actual}, recorded ${length}`);
    // A direction of n numbers is sqrt(n) long; errors are not aligned with it.
    const off = Math.abs(along - product);
    assert.ok(off <= 3 * allowed, `gradient of ${name}: product ${along}, recorded ${product}, length ${length}`);
  }
}

interface FullSize {
  config: Record<string, unknown>;
  tensors: number;
  numbers: number;
  sha256: string;
}

const fullSize = JSON.parse(readFileSync(new URL('cases-sd/full-size.json', import.meta.url), 'utf8')) as Record<
  string,
  FullSize
>;

const layouts: Record<string, (config: Record<string, unknown>) => ParameterLayout> = {
  'sd1-unet': (config) => createTextUNet(config).layout,
  'sd2-unet': (config) => createTextUNet(config).layout,
  'sd-autoencoder': (config) => createAutoencoderKL(config).layout,
  taesd: (config) => createAutoencoderTiny(config).layout,
  'sd1-text': (config) => createClipText(config).layout,
  'sd2-text': (config) => createClipText(config).layout,
};

for (const [name, { config, tensors, numbers, sha256 }] of Object.entries(fullSize)) {
  test(`${name}: the published model's parameters, name by name`, () => {
    const { entries, size } = layouts[name](config);
    assert.equal(entries.length, tensors);
    assert.equal(size, numbers);
    const lines = entries.map((entry) => `${entry.name} ${entry.shape.join()}\n`);
    // By the names alone, as the recording sorts them.
    const order = [...entries.keys()].sort((a, b) => (entries[a].name < entries[b].name ? -1 : 1));
    const hash = createHash('sha256').update(order.map((i) => lines[i]).join(''));
    assert.equal(hash.digest('hex'), sha256);
  });
}
