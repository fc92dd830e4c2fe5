/** The contract of engines on those that work everywhere; the TensorFlow engine also counts its tensors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { createTensorflowEngine } from '../../backend/engine/tensorflow/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { draw, testContract, throughGraph } from './engine-contract/contract.ts';

const engines: [name: string, open: () => Promise<Engine>][] = [
  ["ONNX Runtime's C API", async () => createOnnxRuntimeEngine({ device: 'cpu', threads: 1, way: 'c-api' })],
  ['onnxruntime-node', async () => createOnnxRuntimeEngine({ device: 'cpu', threads: 1, way: 'node' })],
  ['TensorFlow.js', () => createTensorflowEngine({ backend: 'cpu' })],
];

for (const [name, open] of engines) testContract(name, open);

test('a tensor of one engine is refused by another', async () => {
  const opened = await Promise.all(engines.map(([, open]) => open()));
  for (const engine of opened) {
    const program = await engine.compile(throughGraph());
    for (const other of opened) {
      if (other === engine) continue;
      const x = other.upload(draw(2, 3));
      await assert.rejects(program.run({ x, unused: draw(4) }), /input 'x' lives on another engine/);
      x.dispose();
    }
  }
  for (const engine of opened) await engine.dispose();
});

for (const [name, open] of engines.slice(0, 2)) {
  test(`${name} on the CPU holds what it receives once, and its slices are views`, async () => {
    const engine = await open();
    const count = 2 ** 24 + 3;
    async function* slices() {
      const slice = new Float32Array(2 ** 21);
      for (let at = 0; at < count; at += slice.length) {
        slice[0] = at;
        yield slice.subarray(0, count - at);
      }
    }
    const before = process.memoryUsage().arrayBuffers;
    const tensor = await engine.receive([count], slices());
    const held = (process.memoryUsage().arrayBuffers - before) / (4 * count);
    assert.ok(held < 1.3, `${held} times its size`);
    const whole = await tensor.read();
    let at = 0;
    for await (const slice of tensor.slices(2 ** 22)) {
      assert.equal(slice.buffer, whole.buffer);
      assert.equal(slice.byteOffset, whole.byteOffset + 4 * at);
      assert.equal(slice[0], at);
      at += slice.length;
    }
    assert.equal(at, count);
    await engine.dispose();
  });
}

/** A small network and its gradients: operations with several results, results nobody uses, and regions. */
function trainingGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [2, 4, 5, 3]);
  const w = graph.input('w', [4, 2, 3, 3]);
  const ones = graph.constant([4], [1, 1, 1, 1]);
  const block = () => {
    const y = ops.silu(ops.conv2d(ops.groupNorm(x, ones, ones, 2, 1e-5), w, null, { padding: 1, groups: 2 }));
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
  const slices = async function* () {
    yield* [draw(3).data, draw(4).data];
  };
  const received = await engine.receive([7], slices());
  for await (const slice of received.slices(3)) {
    assert.equal(tf.memory().numTensors, before + 2, 'the tensor and its slice');
    assert.ok(slice.length > 0);
  }
  received.dispose();
  await assert.rejects(engine.receive([8], slices()), /only 7 arrived/);
  assert.equal(tf.memory().numTensors, before);
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
