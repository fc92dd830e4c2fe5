/** What does not fit is refused when the graph is built, and the message names the operation, its scope and the shapes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import * as ops from '../../backend/graph/ops/index.ts';

/** Shapes of the inputs, the call that must fail, and what the message must say. */
const refusals: [shapes: number[][], build: (...inputs: Tensor[]) => unknown, message: string][] = [
  [
    [
      [2, 3],
      [2, 4],
    ],
    ops.add,
    "add in 'net.block': [2,3] and [2,4] do not broadcast (shapes [2, 3] and [2, 4])",
  ],
  [
    [
      [2, 3],
      [4, 5],
    ],
    (a, b) => ops.matmul(a, b),
    "matmul in 'net.block': inner sizes 3 and 4 differ (shapes [2, 3] and [4, 5])",
  ],
  [
    [[3], [3, 2]],
    (a, b) => ops.matmul(a, b),
    "matmul in 'net.block': a matrix product needs at least two axes on both sides (shapes [3] and [3, 2])",
  ],
  [
    [
      [1, 3, 8, 8],
      [4, 5, 3, 3],
    ],
    (x, w) => ops.conv2d(x, w, null),
    "conv2d in 'net.block': image has 3 channels, kernel wants 5 (shapes [1, 3, 8, 8] and [4, 5, 3, 3])",
  ],
  [
    [
      [1, 4, 8, 8],
      [3, 2, 3, 3],
    ],
    (x, w) => ops.conv2d(x, w, null, { groups: 2 }),
    "conv2d in 'net.block': 3 output channels do not divide into 2 groups (shapes [1, 4, 8, 8] and [3, 2, 3, 3])",
  ],
  [
    [
      [1, 2, 2, 8],
      [3, 2, 3, 3],
    ],
    (x, w) => ops.conv2d(x, w, null),
    "conv2d in 'net.block': the kernel is larger than the padded image (shapes [1, 2, 2, 8] and [3, 2, 3, 3])",
  ],
  [
    [[1, 2, 4, 4], [3, 2, 3, 3], [2]],
    (x, w, b) => ops.conv2d(x, w, b),
    "conv2d in 'net.block': bias must have 3 numbers (shapes [1, 2, 4, 4] and [3, 2, 3, 3] and [2])",
  ],
  [[[2, 6]], (x) => ops.reshape(x, [5, 2]), "reshape in 'net.block': [2,6] cannot become [5,2] (shapes [2, 6])"],
  [
    [[2, 6]],
    (x) => ops.transpose(x, [1, 1]),
    "transpose in 'net.block': [1,1] is not a permutation of 2 axes (shapes [2, 6])",
  ],
  [
    [[2, 6]],
    (x) => ops.broadcastTo(x, [3, 6]),
    "broadcastTo in 'net.block': [2,6] and [3,6] do not broadcast (shapes [2, 6])",
  ],
  [
    [[4, 3]],
    (x) => ops.slice(x, [0, 1], [5, 3]),
    "slice in 'net.block': range 0..5 is outside axis 0 of size 4 (shapes [4, 3])",
  ],
  [
    [
      [2, 3],
      [3, 3],
    ],
    (a, b) => ops.concat([a, b], 1),
    "concat in 'net.block': shapes differ outside axis 1 (shapes [2, 3] and [3, 3])",
  ],
  [[[2, 3]], (x) => ops.pad(x, [1], [0]), "pad in 'net.block': pad needs one amount per axis (shapes [2, 3])"],
  [
    [[1, 6, 4, 4], [6], [6]],
    (x, w, b) => ops.groupNorm(x, w, b, 4, 1e-5),
    "groupNorm in 'net.block': 6 channels do not divide into 4 groups (shapes [1, 6, 4, 4] and [6] and [6])",
  ],
  [
    [[2, 6, 4, 4], [6], [1, 6]],
    (x, w, b) => ops.groupNorm(x, w, b, 3, 1e-5),
    "groupNorm in 'net.block': scale and shift need one number per channel (shapes [2, 6, 4, 4] and [6] and [1, 6])",
  ],
  [
    [[1, 2, 5, 4]],
    (x) => ops.downsample2(x, [1, 1]),
    "downsample2 in 'net.block': size 5x4 does not halve exactly with 2 taps and padding 0 (shapes [1, 2, 5, 4])",
  ],
  [
    [[2, 4]],
    (x) => ops.upsample2(x, [1, 1]),
    "upsample2 in 'net.block': resampling needs an NCHW image (shapes [2, 4])",
  ],
  [
    [
      [2, 3, 5],
      [2, 4, 5],
      [2, 3, 5],
    ],
    (q, k, v) => ops.attention(q, k, v),
    "attention in 'net.block': queries have 3 channels, keys 4 (shapes [2, 3, 5] and [2, 4, 5] and [2, 3, 5])",
  ],
];

for (const [shapes, build, message] of refusals) {
  test(message, () => {
    const graph = new Graph();
    const inputs = shapes.map((shape, i) => graph.input(`x${i}`, shape));
    const scoped = () => graph.scope('net', () => graph.scope('block', () => build(...inputs)));
    assert.throws(scoped, { message });
  });
}

test('after a failed scope the next error names only its own', () => {
  const graph = new Graph();
  const x = graph.input('x', [2]);
  assert.throws(() => graph.scope('inner', () => ops.matmul(x, x)));
  assert.throws(() => ops.matmul(x, x), /^Error: matmul in '\(top\)': /);
});

test('axes out of range or given twice are refused', () => {
  const x = new Graph().input('x', [2, 3]);
  assert.throws(() => ops.sum(x, { axes: [2] }), /axis 2 is outside rank 2/);
  assert.throws(() => ops.mean(x, { axes: [-3] }), /outside rank 2/);
  assert.throws(() => ops.max(x, { axes: [1, -1] }), /axis 1 is given twice/);
});

test('what is not float32 is sliced and widened before anything is computed', () => {
  const graph = new Graph();
  const [x, y] = [graph.input('x', [4], 'float16'), graph.input('y', [2])];
  assert.throws(
    () => graph.scope('net', () => ops.mul(x, 2)),
    /^Error: mul in 'net': an input is float16 where float32 is computed; slice and widen it first$/,
  );
  const part = ops.slice(x, [1], [3]);
  assert.throws(() => ops.add(y, part), /^Error: add in '\(top\)': an input is float16/);
  const wide = ops.widen(part);
  assert.deepEqual([x.type, part.type, wide.type, ops.add(y, wide).type], ['float16', 'float16', 'float32', 'float32']);
  assert.equal(ops.widen(y), y);
});

test('a graph keeps its names and tensors apart from those of others', () => {
  const [graph, other] = [new Graph(), new Graph()];
  const x = graph.input('x', [2]);
  graph.output('y', x);
  const foreign = other.input('x', [2]);
  assert.throws(() => graph.input('x', [3]), /graph input 'x' is declared twice/);
  assert.throws(() => graph.output('y', x), /graph output 'y' is declared twice/);
  assert.throws(() => graph.output('x', ops.neg(x)), /graph output 'x' has the name of an input/);
  assert.throws(() => graph.input('y', [1]), /graph input 'y' has the name of an output/);
  assert.throws(() => graph.output('z', foreign), /graph output 'z' belongs to another graph/);
  assert.throws(() => ops.add(x, foreign), /add in '\(top\)': an input belongs to another graph/);
  assert.throws(() => graph.constant([2, 2], [1, 2, 3]), /constant of shape \[2,2\] needs 4 numbers, got 3/);
});
