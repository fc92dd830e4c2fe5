/**
 * What every engine promises (backend/engine/engine.ts): who owns a tensor, what a run may touch, and what is refused.
 * Run on each engine that works everywhere; the TensorFlow engine also counts its tensors.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceTensor, Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { createTensorflowEngine } from '../../backend/engine/tensorflow/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { sizeOf, tensorData } from '../../backend/graph/tensor-data.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const engines: [name: string, open: () => Promise<Engine>][] = [
  ['ONNX Runtime', async () => createOnnxRuntimeEngine({ device: 'cpu', threads: 1 })],
  ['TensorFlow.js', () => createTensorflowEngine({ backend: 'cpu' })],
];

const draw = (...shape: number[]) => tensorData(shape, Float32Array.from({ length: sizeOf(shape) }, Math.random));

/** x + 1; x itself, twice and reshaped; a constant; and an input that nothing reads. */
function throughGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  graph.input('unused', [4]);
  graph.output('next', ops.add(x, 1));
  graph.output('same', x);
  graph.output('detached', ops.detach(x));
  graph.output('flat', ops.reshape(x, [6]));
  graph.output('constant', graph.constant([2], [7, 8]));
  return graph;
}

const values = async (tensor: DeviceTensor) => Array.from(await tensor.read());

for (const [name, open] of engines) {
  test(`${name}: results outlive later runs, their feeds and their program`, async () => {
    const engine = await open();
    const program = await engine.compile(throughGraph());
    const unused = draw(4);
    const first = draw(2, 3);
    const firstNumbers = Array.from(first.data);
    const feed = engine.upload(tensorData([2, 3], first.data.slice()));
    const results = await program.run({ x: feed, unused });
    const expected = Array.from(first.data.map((v) => v + 1));
    const second = await program.run({ x: draw(2, 3), unused });
    assert.deepEqual(await values(feed), firstNumbers, 'a feed is only read');
    feed.dispose();
    await program.dispose();
    assert.deepEqual(await values(results.next), expected);
    for (const key of ['same', 'detached', 'flat']) assert.deepEqual(await values(results[key]), firstNumbers, key);
    assert.deepEqual(await values(results.constant), [7, 8]);
    assert.deepEqual(results.flat.shape, [6]);
    assert.notDeepEqual(await values(second.next), expected);
    await assert.rejects(program.run({ x: draw(2, 3), unused }), /disposed/);
    await engine.dispose();
  });

  test(`${name}: a result is fed to another program, and the host's array may change after a run`, async () => {
    const engine = await open();
    const [one, two] = [await engine.compile(throughGraph()), await engine.compile(throughGraph())];
    const host = draw(2, 3);
    const start = Array.from(host.data);
    const unused = draw(4);
    const first = await one.run({ x: host, unused });
    host.data.fill(NaN);
    const second = await two.run({ x: first.next, unused });
    assert.deepEqual(await values(first.same), start);
    assert.deepEqual(await values(second.same), await values(first.next));
    first.next.dispose();
    assert.ok((await values(second.next)).every((v, i) => Math.abs(v - start[i] - 2) < 1e-6));
    await engine.dispose();
  });

  test(`${name}: wrong feeds are named, and nothing is run`, async () => {
    const engine = await open();
    const program = await engine.compile(throughGraph(), { name: 'update' });
    const unused = draw(4);
    await assert.rejects(program.run({ unused }), /program 'update' needs input 'x' \[2,3\]/);
    const wrong = /program 'update': input 'x' is \[3,2\] where \[2,3\] is declared/;
    await assert.rejects(program.run({ x: draw(3, 2), unused }), wrong);
    const gone = engine.upload(draw(2, 3));
    gone.dispose();
    await assert.rejects(program.run({ x: gone, unused }), /this device tensor was disposed/);
    await assert.rejects(async () => gone.read(), /this device tensor was disposed/);
    await assert.rejects(engine.compile(new Graph()), /a graph without outputs computes nothing/);
    await engine.dispose();
  });
}

test('a tensor of one engine is refused by another', async () => {
  const [ort, tensorflow] = [await engines[0][1](), await engines[1][1]()];
  const feeds = [ort.upload(draw(2, 3)), tensorflow.upload(draw(2, 3))];
  for (const [i, engine] of [tensorflow, ort].entries()) {
    const program = await engine.compile(throughGraph());
    await assert.rejects(program.run({ x: feeds[i], unused: draw(4) }), /input 'x' lives on another engine/);
  }
  feeds[1].dispose();
  await ort.dispose();
  await tensorflow.dispose();
});

/** A small network and its gradients: operations with several results, results nobody uses, and regions. */
function trainingGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [2, 4, 5, 3]);
  const w = graph.input('w', [4, 2, 3, 3]);
  const block = () => {
    const y = ops.silu(ops.conv2d(ops.normalizeGroups(x, 2, 1e-5), w, null, { padding: 1, groups: 2 }));
    const flat = ops.reshape(y, [2, 4, 15]);
    return ops.attention(flat, flat, flat);
  };
  const loss = ops.mean(ops.square(graph.recompute(block)));
  graph.output('loss', loss);
  gradients(loss, [x, w]).forEach((gradient, i) => {
    graph.output(`g${i}`, gradient);
  });
  return graph;
}

test('TensorFlow.js: runs, failures and disposal leave no tensor behind', async () => {
  const atStart = tf.memory().numTensors;
  const engine = await createTensorflowEngine({ backend: 'cpu' });
  const program = await engine.compile(trainingGraph());
  const w = engine.upload(draw(4, 2, 3, 3));
  const before = tf.memory().numTensors;
  for (let i = 0; i < 3; i++) {
    const results = await program.run({ x: draw(2, 4, 5, 3), w });
    assert.equal(tf.memory().numTensors, before + 3, 'the three results');
    for (const tensor of Object.values(results)) {
      tensor.dispose();
      tensor.dispose();
    }
    assert.equal(tf.memory().numTensors, before);
  }
  await assert.rejects(program.run({ x: draw(2, 4, 5, 3), w: draw(1) }));
  const broken = { name: 'broken', infer: () => [[5]] };
  await assert.rejects(async () => {
    const graph = new Graph();
    graph.output('y', graph.apply(broken, [graph.input('x', [2])], {})[0]);
    await engine.compile(graph);
  }, /no TensorFlow kernel for broken/);
  await assert.rejects(async () => {
    const graph = new Graph();
    const [y] = graph.apply({ name: 'add', infer: () => [[9]] }, [graph.input('x', [2]), graph.scalar(1)], {});
    graph.output('y', y);
    await (await engine.compile(graph)).run({ x: draw(2) });
  }, /add in '' gave \[2\] for \[9\]/);
  w.dispose();
  await engine.dispose();
  assert.equal(tf.memory().numTensors, atStart);
});

test('TensorFlow.js: a tensor is freed as soon as nothing needs it', async () => {
  const engine = await createTensorflowEngine({ backend: 'cpu' });
  const graph = new Graph();
  let y = graph.input('x', [1000]);
  for (let i = 0; i < 20; i++) y = ops.mul(y, 1.01);
  graph.output('y', y);
  const program = await engine.compile(graph);
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(async () => {
    (await program.run({ x: draw(1000) })).y.dispose();
    return [];
  });
  const held = (peakBytes - before) / 4000;
  assert.ok(held > 0 && held <= 3, `${held} tensors at once: input, output and what the operation makes are 3`);
  await engine.dispose();
});

test('TensorFlow.js: without the GPU package the error says what to install', async () => {
  await assert.rejects(createTensorflowEngine({ backend: 'tfjs-node-gpu' }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.kind, 'device');
    assert.match(error.message, /@tensorflow\/tfjs-node-gpu is not installed/);
    assert.match(error.hint, /npm install @tensorflow\/tfjs-node-gpu/);
    return true;
  });
});
