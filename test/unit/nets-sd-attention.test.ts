/** Attention whose table of weights is taken in parts, against each head computed alone, which is small enough not to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { emitOnnx } from '../../backend/graph/onnx/emit.ts';
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

function graphOf(build: Build): Graph {
  const graph = new Graph();
  const inputs = ['q', 'k', 'v'].map((name) => graph.input(name, shape));
  const y = build(inputs[0], inputs[1], inputs[2]);
  graph.output('y', y);
  gradients([{ of: y, gradient: graph.input('dy', shape) }], inputs).forEach((gradient, i) => {
    graph.output(`g${i}`, gradient);
  });
  return graph;
}

test('the result and its gradients are the same, in several parts or head by head', async () => {
  const parts = new TextDecoder('latin1')
    .decode(emitOnnx(graphOf(together), { target: 'ort-cpu' }))
    .match(/Softmax_\d+/g);
  assert.ok(new Set(parts).size > 2, 'more than one softmax forward and one backward');
  const feeds = Object.fromEntries(
    ['q', 'k', 'v', 'dy'].map((name) => [name, { shape, data: stream(7, name).randn(shape[1] * shape[2]) }]),
  );
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const run = async (build: Build) => (await engine.compile(graphOf(build))).run(feeds);
    const [all, each] = [await run(together), await run(oneByOne)];
    for (const name of Object.keys(each)) {
      const [actual, expected] = [await all[name].read(), await each[name].read()];
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0);
      assert.ok(worst < 1e-5, `${name}: off by ${worst}`);
    }
  } finally {
    await engine.dispose();
  }
});
