/** Operations and memory of graphs, counted by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graphCost } from '../../backend/graph/cost.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { add, conv2d, matmul, mean, reshape, silu } from '../../backend/graph/ops/index.ts';

test('operations: two per multiply-add, and three times as many with both gradients', () => {
  const graph = new Graph();
  const [x, w] = [graph.input('x', [2, 3, 5, 7]), graph.input('w', [4, 3, 3, 3])];
  const y = conv2d(x, w, null, { padding: 1 });
  const forward = 2 * (2 * 4 * 5 * 7) * (3 * 3 * 3);
  assert.equal(graphCost(graph).flops, forward);
  gradients(mean(y), [x, w]);
  assert.equal(graphCost(graph).flops, 3 * forward);
  const product = new Graph();
  matmul(product.input('a', [6, 5]), product.input('b', [7, 5]), { transB: true });
  assert.equal(graphCost(product).flops, 2 * 6 * 5 * 7);
});

test('memory: what is alive together, views and inputs free', () => {
  const graph = new Graph();
  const x = graph.input('x', [10, 10]);
  const a = silu(x);
  const b = silu(reshape(a, [100])); // a and b
  const c = silu(b); // b and c: a is gone
  graph.output('sum', add(c, b)); // b, c and the sum
  assert.equal(graphCost(graph).peakBytes, 3 * 400);
  graph.constant([2, 3], [1, 2, 3, 4, 5, 6]);
  assert.equal(graphCost(graph).constantBytes, 24);
});
