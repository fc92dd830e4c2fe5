/** What engines say of their devices, and that lowering goes by it and by nothing else. */
import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { test } from 'node:test';
import { hostAttentionBytes } from '../../backend/engine/capabilities.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { runtime } from '../../backend/engine/onnxruntime/runtime.ts';
import { createTensorflowEngine } from '../../backend/engine/tensorflow/engine.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { fusedOperators, type OrtOperator, portable } from '../../backend/graph/onnx/capabilities.ts';
import { lowerGraph } from '../../backend/graph/onnx/emit.ts';
import { encodeModel } from '../../backend/graph/onnx/proto.ts';
import { embeddingGrad } from '../../backend/graph/ops/embedding.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { groupNormOp } from '../../backend/graph/ops/normalize.ts';

const cpu = () => createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

test("the CPU's capabilities: every fused operator, float16 held, as much memory at any time", async () => {
  const [first, second] = await Promise.all([cpu().capabilities(), cpu().capabilities()]);
  assert.equal(first, second, 'found once');
  assert.deepEqual(first.fused, fusedOperators);
  assert.deepEqual([first.onHost, first.resident, first.holds], [true, false, ['float32', 'float16']]);
  assert.deepEqual(first.computes, ['float32'], 'it would widen float16 first');
  assert.deepEqual(JSON.parse(JSON.stringify(first)), first, 'plain data');
  assert.equal(first.attentionBytes, hostAttentionBytes());
});

test("attention's share of memory is a power of two and at most a thirty-second of what there is", () => {
  const bytes = hostAttentionBytes();
  assert.equal(Math.log2(bytes) % 1, 0);
  assert.ok(bytes >= 2 ** 26 && (bytes === 2 ** 26 || bytes <= totalmem() / 32), `${bytes} of ${totalmem()}`);
});

test('what cannot be tried is not there, and asking does not throw', async () => {
  const absent = createOnnxRuntimeEngine({ device: process.platform === 'win32' ? 'coreml' : 'dml' });
  const { fused, holds, onHost } = await absent.capabilities();
  assert.deepEqual([fused, holds, onHost], [[], ['float32'], false]);
});

test('a device computes in float16 where it takes such a program by itself and its numbers are right', async (t) => {
  const { computesHalves } = await import('../../backend/engine/onnxruntime/operator-trials.ts');
  // The CPU as another device, off by so much.
  let off = 0;
  const { InferenceSession } = runtime;
  type Session = { run(feeds: object): Promise<Record<string, { data: Float32Array }>>; release(): Promise<void> };
  const create = InferenceSession.create.bind(InferenceSession) as (model: Uint8Array, how: object) => Promise<Session>;
  t.mock.method(InferenceSession, 'create', async (model: Uint8Array, how: { executionProviders: string[] }) => {
    const onCpu = how.executionProviders[0] === 'cpu';
    const session = await create(model, { executionProviders: ['cpu'] });
    const run = async (feeds: object) => {
      const results = await session.run(feeds);
      if (!onCpu) results.y!.data[0]! += off;
      return results;
    };
    return { run, release: () => session.release() };
  });
  assert.equal(await computesHalves('webgpu'), true);
  off = 3;
  assert.equal(await computesHalves('webgpu'), false);
  assert.equal(await computesHalves('cpu'), false);
});

test('an operator that computes something else is not there', async (t) => {
  // A runtime whose Gelu, asked for by name, is off by a thousandth.
  const { InferenceSession } = runtime;
  const create = InferenceSession.create.bind(InferenceSession) as (
    model: Uint8Array,
    options: object,
  ) => Promise<{
    run(feeds: object): Promise<Record<string, { data: Float32Array }>>;
    release(): Promise<void>;
  }>;
  t.mock.method(InferenceSession, 'create', async (model: Uint8Array, options: object) => {
    const session = await create(model, options);
    if (!new TextDecoder('latin1').decode(model).includes('com.microsoft')) return session;
    const run = async (feeds: object) => {
      const results = await session.run(feeds);
      for (const { data } of Object.values(results)) data[0] += 1e-3;
      return results;
    };
    return { run, release: () => session.release() };
  });
  const { workingOperators } = await import('../../backend/engine/onnxruntime/operator-trials.ts');
  assert.deepEqual(
    await workingOperators('cpu'),
    ['InstanceNormalization', 'BatchNormalization', 'ScatterND'],
    "ONNX's own are as they were",
  );
});

test('TensorFlow takes float16 and computes in float32', async () => {
  const engine = await createTensorflowEngine({ backend: 'cpu' });
  const { holds, computes, onHost } = await engine.capabilities();
  assert.deepEqual([holds, computes, onHost], [['float32', 'float16'], ['float32'], true]);
});

/** One use of each operator. */
const uses: Record<OrtOperator, (graph: Graph) => Tensor> = {
  QuickGelu: (graph) => ops.silu(graph.input('x', [5])),
  Gelu: (graph) => ops.gelu(graph.input('x', [5])),
  FusedMatMul: (graph) => ops.matmul(graph.input('a', [2, 3, 4]), graph.input('b', [2, 4, 5])),
  MultiHeadAttention(graph) {
    const x = graph.input('x', [2, 6, 4]);
    return ops.attention(x, x, ops.headAttention(x, x, x, { heads: 2 }));
  },
  InstanceNormalization(graph) {
    const factor = graph.input('factor', [2, 4]);
    return ops.groupNorm(graph.input('x', [2, 4, 3, 3]), factor, factor, 2, 1e-5);
  },
  BatchNormalization(graph) {
    const factor = graph.input('factor', [4]);
    const [y, centred] = graph.apply(groupNormOp, [graph.input('x', [2, 4, 3, 3]), factor, factor], {
      groups: 2,
      epsilon: 1e-5,
    });
    graph.output('centred', centred!);
    return y!;
  },
  ScatterND: (graph) => embeddingGrad(graph.input('ids', [3]), graph.input('dy', [3, 2]), [4, 2]),
};

for (const operator of fusedOperators) {
  test(`${operator} is used where it is listed, and only there`, () => {
    const graph = new Graph();
    graph.output('y', uses[operator](graph));
    const count = (fused: readonly OrtOperator[]) => {
      const { nodes } = lowerGraph(graph, { capabilities: { ...portable, fused } });
      return nodes.filter(({ opType }) => opType === operator).length;
    };
    assert.equal(count([operator]), operator === 'MultiHeadAttention' ? 2 : 1);
    assert.equal(count(fusedOperators.filter((other) => other !== operator)), 0);
  });
}

test('where a gradient reads what normalisation saves, it is written out', () => {
  const graph = new Graph();
  const [x, factor] = [graph.input('x', [2, 4, 3, 3]), graph.input('factor', [4])];
  const [y, , inverseStd] = graph.apply(groupNormOp, [x, factor, factor], { groups: 2, epsilon: 1e-5 });
  graph.output('y', y);
  graph.output('saved', inverseStd);
  const { nodes } = lowerGraph(graph, { capabilities: { ...portable, fused: ['InstanceNormalization'] } });
  assert.ok(nodes.every(({ opType }) => opType !== 'InstanceNormalization'));
});

test('the same capabilities give the same model', async () => {
  const model = () => {
    const graph = new Graph();
    const x = graph.input('x', [2, 6, 4]);
    graph.output('y', ops.headAttention(x, x, x, { heads: 2 }));
    return graph;
  };
  const capabilities = await cpu().capabilities();
  const [first, second] = [model(), model()].map((graph) => encodeModel(lowerGraph(graph, { capabilities })));
  assert.deepEqual(first, second);
});
