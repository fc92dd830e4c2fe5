/**
 * Differentiating whole graphs: gradients of gradients, recomputation regions, and the refusals. Single operations are
 * in graph-ops.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { sizeOf, type TensorData, tensorData } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { testSeed } from '../random.ts';
import { assertClose, checkCase } from './graph-ops/check.ts';
import { type Executor, onnxRuntime, portableOnnx, tensorflow } from './graph-ops/executors.ts';
import { type OpCase, opCase } from './graph-ops/op-case.ts';

const random = stream(testSeed, 'graph-gradients');

/** d sum(f(a, b, ...)^3) / d (input number `of`): a function whose own gradient is of second order in f. */
function secondOrder(
  op: string,
  name: string,
  shapes: number[][],
  of: number,
  f: (...inputs: Tensor[]) => Tensor,
): OpCase {
  const build = (...inputs: Tensor[]) => {
    const y = f(...inputs);
    return gradients(ops.mean(ops.mul(y, ops.square(y))), [inputs[of]])[0];
  };
  return opCase(op, name, shapes, build);
}

const strided = { stride: 2, padding: [1, 0, 1, 1] as const, groups: 2 };
const conv = (x: Tensor, w: Tensor) => ops.conv2d(x, w, null, { padding: 1 });
const stridedConv = (x: Tensor, w: Tensor) => ops.conv2d(x, w, null, strided);
const image = [1, 2, 4, 3];

const secondOrderCases: OpCase[] = [
  secondOrder('conv2dInputGrad', 'image gradient', [image, [3, 2, 3, 3]], 0, conv),
  secondOrder('conv2dWeightGrad', 'kernel gradient', [image, [3, 2, 3, 3]], 1, conv),
  secondOrder(
    'conv2dInputGrad',
    'strided, grouped: image',
    [
      [2, 4, 5, 6],
      [2, 2, 3, 2],
    ],
    0,
    stridedConv,
  ),
  secondOrder(
    'conv2dWeightGrad',
    'strided, grouped: kernel',
    [
      [2, 4, 5, 6],
      [2, 2, 3, 2],
    ],
    1,
    stridedConv,
  ),
  secondOrder(
    'matmul',
    'left factor',
    [
      [2, 3],
      [3, 2],
    ],
    0,
    (a, b) => ops.matmul(a, b),
  ),
  secondOrder('softmax', 'scores', [[2, 4]], 0, (x) => ops.softmax(x)),
  secondOrder('downsample2', 'image', [[1, 2, 4, 4]], 0, (x) => ops.downsample2(x, [1, 3, 3, 1])),
  secondOrder('upsample2', 'image', [[1, 2, 2, 3]], 0, (x) => ops.upsample2(x, [1, 3, 3, 1])),
  secondOrder('mul', 'smooth functions, broadcast', [[3, 1], [4]], 0, (a, b) =>
    ops.mul(ops.tanh(a), ops.sin(ops.add(ops.sigmoid(b), a))),
  ),
];

for (const entry of secondOrderCases) {
  test(`gradient of the gradient, ${entry.op}: ${entry.name}`, async () => {
    await checkCase(entry, [onnxRuntime, portableOnnx], stream(testSeed, entry.op, entry.name));
  });
}

test('an operation without a second gradient refuses, by name and scope', () => {
  const graph = new Graph();
  const x = graph.input('x', [4]);
  const [dx] = graph.scope('block', () => gradients(ops.sum(ops.silu(x)), [x]));
  assert.throws(() => gradients(ops.sum(ops.square(dx)), [x]), /^Error: siluGrad in '.*block.*' has no gradient rule$/);
});

/** Three residual blocks with a skip around them; each block is a region when `recompute` is set. */
function residualChain(recompute: boolean): Graph {
  const graph = new Graph();
  const channels = 4;
  let x = graph.input('x', [2, channels, 5, 3]);
  const wanted = [x];
  const start = x;
  for (let i = 0; i < 3; i++) {
    const weight = graph.input(`w${i}`, [channels, channels, 3, 3]);
    const scale = graph.input(`s${i}`, [channels]);
    wanted.push(weight, scale);
    const [before, first] = [x, start];
    const block = () => {
      const normalized = ops.groupNorm(before, scale, ops.neg(scale), 2, 1e-5);
      const flat = ops.reshape(ops.conv2d(ops.silu(normalized), weight, null, { padding: 1 }), [2, channels, 15]);
      // A region inside a region belongs to the outer one.
      const inner = () => ops.attention(flat, flat, ops.tanh(flat));
      const attended = recompute ? graph.recompute(inner) : inner();
      return ops.add(ops.reshape(attended, before.shape), ops.mul(first, before));
    };
    x = graph.scope(`block${i}`, () => (recompute ? graph.recompute(block) : block()));
  }
  const weight = graph.input('weight', x.shape);
  graph.output('y', x);
  gradients(ops.sum(ops.mul(x, weight)), wanted).forEach((gradient, i) => {
    graph.output(`g${i}`, gradient);
  });
  return graph;
}

function feedsFor(graph: Graph): Record<string, TensorData> {
  const draw = ([name, { shape }]: [string, Tensor]) =>
    [
      name,
      tensorData(
        shape,
        random.randn(sizeOf(shape)).map((z) => z * 0.5),
      ),
    ] as const;
  return Object.fromEntries([...graph.inputs].map(draw));
}

async function runOnce(executor: Executor, graph: Graph, feeds: Record<string, TensorData>) {
  const program = await executor.prepare(graph);
  const results = await program.run(feeds);
  await program.close();
  return results;
}

test('recomputation changes no result, only when things are computed', async () => {
  const [plain, again] = [residualChain(false), residualChain(true)];
  const feeds = feedsFor(plain);
  for (const executor of [tensorflow, onnxRuntime, portableOnnx]) {
    const expected = await runOnce(executor, plain, feeds);
    const actual = await runOnce(executor, again, feeds);
    for (const name of plain.outputs.keys()) {
      if (executor === tensorflow) assert.deepEqual(actual[name], expected[name], name);
      assertClose(actual[name], expected[name], 1e-5, `${executor.name}: ${name}`);
    }
  }
});

test('a normalisation, SiLU and a larger image are computed again for a gradient, and it comes out the same', async () => {
  const build = (kept: boolean) => {
    const graph = new Graph();
    const [x, scale, weight] = [
      graph.input('x', [2, 4, 3, 3]),
      graph.input('s', [2, 4]),
      graph.input('w', [4, 4, 3, 3]),
    ];
    const normalized = ops.groupNorm(x, scale, ops.neg(scale), 2, 1e-5);
    // What is no normalisation's own result is kept.
    const image = ops.upsample2(ops.silu(kept ? ops.detach(normalized) : normalized), [1, 1], { gain: 4 });
    const loss = ops.sum(ops.square(ops.conv2d(image, weight, null, { padding: 1 })));
    const wanted = kept ? [weight] : [weight, x, scale];
    gradients(loss, wanted).forEach((gradient, i) => {
      graph.output(`g${i}`, gradient);
    });
    return graph;
  };
  const [again, kept] = [build(false), build(true)];
  const read = (graph: Graph) => graph.nodes.find(({ type }) => type.name === 'conv2dWeightGrad')!.inputs[0]!.node;
  assert.match(read(again).scope, /^again\./);
  assert.equal(read(kept).scope, '');
  const feeds = feedsFor(again);
  for (const executor of [tensorflow, onnxRuntime]) {
    const [actual, expected] = [await runOnce(executor, again, feeds), await runOnce(executor, kept, feeds)];
    assertClose(actual.g0, expected.g0, 1e-5, executor.name);
  }
});

test('each region is computed a second time, after the gradient has arrived', () => {
  const count = (graph: Graph, op: string) => graph.nodes.filter((node) => node.type.name === op).length;
  const [plain, again] = [residualChain(false), residualChain(true)];
  // Those of the values that are always computed again wait by the normalisation's scale.
  const inPlain = plain.nodes.filter((node) => node.type.name === 'barrier');
  assert.deepEqual(
    inPlain.map(({ inputs }) => inputs[0]!.shape),
    [[4], [4], [4]],
  );
  assert.equal(count(plain, 'attention'), 3);
  assert.equal(count(again, 'attention'), 6);
  const copies = again.nodes.filter((node) => node.scope.includes('again.') && node.type.name === 'groupNorm');
  assert.equal(copies.length, 3);
  for (const copy of copies) {
    assert.equal(copy.inputs[0].node.type.name, 'barrier');
    assert.match(copy.scope, /block\d/);
  }
});

test('what a gradient is asked for must influence the loss', () => {
  const graph = new Graph();
  const [x, other] = [graph.input('x', [2, 3]), graph.input('other', [4])];
  const loss = ops.sum(ops.square(x));
  assert.throws(() => gradients(loss, [x, other]), /wanted tensor 1 \[4\] has no influence on the loss/);
  assert.throws(() => gradients(ops.square(x), [x]), /only a scalar has an implied gradient of 1/);
});

test('several seeds add up, and inner tensors can be asked for', async () => {
  const graph = new Graph();
  const x = graph.input('x', [3]);
  const y = ops.mul(x, x);
  const z = ops.exp(y);
  const [dy, dx] = gradients([{ of: z, gradient: graph.constant([3], [1, 2, 3]) }, { of: ops.sum(y) }], [y, x]);
  graph.output('dy', dy);
  graph.output('dx', dx);
  const values = Array.from(random.rand(3));
  const expected = values.map((v, i) => (i + 1) * Math.exp(v * v) + 1);
  for (const executor of [tensorflow, onnxRuntime]) {
    const results = await runOnce(executor, graph, { x: tensorData([3], Float32Array.from(values)) });
    assertClose(results.dy, expected, 1e-6, executor.name);
    assertClose(
      results.dx,
      expected.map((g, i) => 2 * values[i] * g),
      1e-6,
      executor.name,
    );
  }
});
