/** OpenVINO as a device: the contract of engines, pictures beside ONNX Runtime's, where it is looked for and how it is refused. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodePng } from '../../backend/data/png.ts';
import { RunEnded } from '../../backend/engine/engine.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { findOpenVino } from '../../backend/engine/openvino/find.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { lowerGraph } from '../../backend/graph/onnx/emit.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { generateImages } from '../../backend/protocol/rpc/images.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { registerImages } from '../../backend/server/images/index.ts';
import { draw, testContract } from './engine-contract/contract.ts';
import { FakeServer } from './server/fake-server.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();
const found = findOpenVino();
const options = 'reason' in found ? { skip: `no OpenVINO: ${found.reason}` } : {};
const model = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const open = () => openDevice('openvino', 1);

testContract('OpenVINO', open, options);

test('pictures are those of ONNX Runtime within 0.1 %, with weights that stay where they are', options, async () => {
  const drawn: Float32Array[] = [];
  for (const device of ['cpu', 'openvino'] as const) {
    const engine = await openDevice(device, 1);
    const pipeline = TextPipeline.open(model, { engine });
    const { images } = await pipeline.draw({ prompt: 'a red cat', seeds: [1, 2, 3], steps: 3, size: [24, 16] });
    drawn.push(images.data);
    await pipeline.dispose();
    await engine.dispose();
  }
  const [wanted, actual] = drawn;
  const largest = Math.max(...wanted!.map(Math.abs));
  const worst = Math.max(...wanted!.map((value, i) => Math.abs(value - actual![i]!)));
  assert.ok(largest > 0.5 && worst < 1e-3 * largest, `off by ${worst} of ${largest}`);
});

test("the editor's pictures are drawn with it too, in the thread that makes them", options, async () => {
  const server = new FakeServer();
  registerImages(server);
  const drawn: Uint8Array[] = [];
  for (const device of ['cpu', 'openvino']) {
    const settings = { ...{ model, seeds: [3], classes: null, prompt: 'a red cat', steps: 2 }, device };
    const { images, device: on } = await server.ask(generateImages, { id: device, settings, metadata: false });
    assert.equal(on, device);
    drawn.push(images[0]!.png);
  }
  const [wanted, actual] = drawn.map((png) => decodePng(png).data);
  const worst = Math.max(...wanted!.map((value, i) => Math.abs(value - actual![i]!)));
  assert.ok(worst < 2.1 / 127.5, `off by ${worst}`);
  await server.end();
});

test('constants of any size are read where they lie, and what they were is not forgotten', options, async () => {
  const engine = await open();
  const graph = new Graph();
  const x = graph.input('x', [1, 3]);
  // Larger than what is copied into the model, and nobody but the program refers to it afterwards.
  const weights = () => ({ shape: [3, 2 ** 16], data: Float32Array.from({ length: 3 * 2 ** 16 }, (_, i) => i % 7) });
  const { shape, data } = weights();
  graph.output('y', ops.matmul(x, graph.constant(shape, data)));
  const program = await engine.compile(graph);
  globalThis.gc?.();
  const { y } = await program.run({ x: { shape: [1, 3], data: Float32Array.of(1, 10, 100) } });
  const at = (i: number, k: number) => (i * 2 ** 16 + k) % 7;
  const values = await y!.read();
  for (const k of [0, 5, 2 ** 16 - 1]) assert.equal(values[k], at(0, k) + 10 * at(1, k) + 100 * at(2, k));
  await engine.dispose();
});

test('a group normalisation is one operator for it, to the last digits far from zero too', options, async () => {
  const graph = new Graph();
  const [scale, shift] = [graph.input('scale', [6]), graph.input('shift', [6])];
  graph.output('y', ops.groupNorm(ops.add(graph.input('x', [2, 6, 5, 7]), 100), scale, shift, 3, 1e-5));
  const feeds = Object.fromEntries([...graph.inputs].map(([name, { shape }]) => [name, draw(...shape)]));
  const results: Float32Array[] = [];
  for (const device of ['cpu', 'openvino'] as const) {
    const engine = await openDevice(device, 1);
    const operators = lowerGraph(graph, { capabilities: await engine.capabilities() }).nodes.map((node) => node.opType);
    assert.equal(operators.includes('GroupNormalization'), device === 'openvino', operators.join());
    const { y } = await (await engine.compile(graph)).run(feeds);
    results.push((await y!.read()).slice());
    await engine.dispose();
  }
  const [wanted, actual] = results as [Float32Array, Float32Array];
  const largest = Math.max(...wanted.map(Math.abs));
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - actual[i]!)));
  assert.ok(largest > 0.5 && worst < 1e-4 * largest, `off by ${worst} of ${largest}`);
});

test('a run that nobody wants any more is ended, and the program goes on', options, async () => {
  const engine = await open();
  const graph = new Graph();
  let h = graph.input('x', [384, 384]);
  for (let i = 0; i < 200; i++) h = ops.tanh(ops.matmul(h, h));
  graph.output('y', ops.mean(h));
  const program = await engine.compile(graph);
  const x = draw(384, 384);
  await assert.rejects(program.run({ x }, { signal: AbortSignal.abort() }), RunEnded);
  const stop = new AbortController();
  const run = program.run({ x }, { signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  await assert.rejects(run, RunEnded);
  assert.ok(Number.isFinite((await (await program.run({ x })).y!.read())[0]));
  await engine.dispose();
});

test('it is looked for where it is named, and in the environments that are there', () => {
  if (process.platform !== 'linux') return;
  const environment = scratch.path('environment');
  const libs = join(environment, 'lib', 'python3.12', 'site-packages', 'openvino', 'libs');
  mkdirSync(libs, { recursive: true });
  for (const name of ['libopenvino_c.so.2630', 'libopenvino_c.so.2641', 'libopenvino.so.2641', 'notes.txt']) {
    writeFileSync(join(libs, name), '');
  }
  const path = join(libs, 'libopenvino_c.so.2641');
  assert.deepEqual(findOpenVino({ DMD_OPENVINO: environment }), { path });
  assert.deepEqual(findOpenVino({ DMD_OPENVINO: libs }), { path });
  assert.deepEqual(findOpenVino({ DMD_OPENVINO: path }), { path });
  assert.deepEqual(findOpenVino({ VIRTUAL_ENV: environment }), { path });
  assert.deepEqual(findOpenVino({ PATH: `/nowhere:${join(environment, 'bin')}` }), { path });
  const none = findOpenVino({ DMD_OPENVINO: scratch.path('elsewhere') });
  assert.match('reason' in none ? none.reason : '', /DMD_OPENVINO is .*elsewhere, where there is no OpenVINO$/);
});

test('what is no library, and a device that is not there, are refused in words', async () => {
  const { openOpenVino } = await import('../../backend/engine/openvino/open.ts');
  const named = process.env.DMD_OPENVINO;
  process.env.DMD_OPENVINO = await scratch.write('libopenvino_c.so.1', 'no library');
  const { OpenVinoLibrary } = await import('../../backend/engine/openvino/library.ts');
  assert.throws(() => new OpenVinoLibrary(process.env.DMD_OPENVINO!), Error);
  if (named === undefined) delete process.env.DMD_OPENVINO;
  else process.env.DMD_OPENVINO = named;
  if (options.skip === undefined)
    assert.throws(() => openOpenVino('openvino-npu', 1), refusal(/lists .*CPU/, 'device'));
});
