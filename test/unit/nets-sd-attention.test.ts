/**
 * Attention whose tables of weights are taken in parts, against each head computed alone, which is small enough not to be; and into how
 * many parts it is cut.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { runtime } from '../../backend/engine/onnxruntime/runtime.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { type LoweringCapabilities, portable } from '../../backend/graph/onnx/capabilities.ts';
import { emitOnnx, lowerGraph } from '../../backend/graph/onnx/emit.ts';
import { concat, headAttention, sliceAxis } from '../../backend/graph/ops/index.ts';
import { stream } from '../../backend/random/stream.ts';

const heads = 8;
const shape = [1, 1100, 2 * heads];

type Build = (q: Tensor, k: Tensor, v: Tensor) => Tensor;

const together: Build = (q, k, v) => headAttention(q, k, v, { heads, causal: true });

const oneByOne: Build = (q, k, v) =>
  concat(
    Array.from({ length: heads }, (_, i) => {
      const [a, b, c] = [q, k, v].map((tensor) => sliceAxis(tensor, 2, 2 * i, 2 * i + 2));
      return headAttention(a, b, c, { heads: 1, causal: true });
    }),
    2,
  );

function graphOf(build: Build, size = shape): Graph {
  const graph = new Graph();
  const inputs = ['q', 'k', 'v'].map((name) => graph.input(name, size));
  const y = build(inputs[0], inputs[1], inputs[2]);
  graph.output('y', y);
  gradients([{ of: y, gradient: graph.input('dy', size) }], inputs).forEach((gradient, i) => {
    graph.output(`g${i}`, gradient);
  });
  return graph;
}

/** Softmaxes of the result and of its gradients, by how the graph is lowered. */
function softmaxes(graph: Graph, capabilities: Partial<LoweringCapabilities>): number {
  const { nodes } = lowerGraph(graph, { capabilities: { ...portable, ...capabilities } });
  return nodes.filter(({ opType }) => opType === 'Softmax').length;
}

test('as few parts as memory allows', () => {
  const stableDiffusion = graphOf((q, k, v) => headAttention(q, k, v, { heads }), [1, 4096, 320]);
  const table = 2 ** 26; // of one head
  const parts = (attentionBytes: number, largestBuffer = 2 ** 32) =>
    softmaxes(stableDiffusion, { attentionBytes, largestBuffer });
  // Two tables at a time forward, three backward.
  assert.equal(parts(24 * table), 1 + 1);
  assert.equal(parts(16 * table), 1 + 2);
  assert.equal(parts(6 * table), 3 + 4);
  assert.equal(parts(3 * table), 8 + 8);
  assert.equal(parts(2 * table), 8 + 16, 'backward half a head at a time');
  assert.equal(parts(24 * table, table / 4), 32 + 32, 'no table is larger than the largest buffer');
  const fused = { attentionBytes: 24 * table, largestBuffer: 2 ** 32, fused: ['MultiHeadAttention'] } as const;
  assert.equal(softmaxes(stableDiffusion, fused), 1, 'the gradient alone');
  assert.equal(
    softmaxes(stableDiffusion, { ...fused, attentionBytes: 2 * table }),
    8 + 16,
    'the operator has a table too',
  );
  const streams = { ...fused, attentionBytes: 2 * table, streamsAttention: true };
  assert.equal(softmaxes(stableDiffusion, streams), 16, 'unless it streams');
});

/** Bytes that cut the eight heads into threes, and into less than one. */
for (const attentionBytes of [9 * 4 * 1100 * 1100, 2 ** 20]) {
  test(`the result and its gradients are the same with ${attentionBytes} bytes, or head by head`, async () => {
    const feeds = Object.fromEntries(
      ['q', 'k', 'v', 'dy'].map((name) => [name, { shape, data: stream(7, name).randn(shape[1] * shape[2]) }]),
    );
    const capabilities = { ...portable, attentionBytes };
    assert.ok(softmaxes(graphOf(together), capabilities) > 2, 'parts');
    const session = await runtime.InferenceSession.create(emitOnnx(graphOf(together), { capabilities }));
    const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
    try {
      const tensors = Object.entries(feeds).map(([name, { data }]) => [
        name,
        new runtime.Tensor('float32', data, shape),
      ]);
      const all = await session.run(Object.fromEntries(tensors));
      const each = await (await engine.compile(graphOf(oneByOne))).run(feeds);
      for (const name of Object.keys(each)) {
        const [actual, expected] = [all[name].data as Float32Array, await each[name].read()];
        const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0);
        assert.ok(worst < 1e-5, `${name}: off by ${worst}`);
      }
    } finally {
      await session.release();
      await engine.dispose();
    }
  });
}
