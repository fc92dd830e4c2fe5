/** What an ONNX model of a graph holds, and what it does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { fusedOperators, portable } from '../../backend/graph/onnx/capabilities.ts';
import { lowerGraph } from '../../backend/graph/onnx/emit.ts';
import { conv2d, groupNorm, headAttention, mean, reshape, square, upsample2 } from '../../backend/graph/ops/index.ts';

test('no node or constant that no output depends on: ONNX Runtime would keep for it what it reads', () => {
  const all = { ...portable, fused: fusedOperators, channelBlock: 8, shiftedWindows: true };
  for (const capabilities of [portable, all]) {
    for (const differentiated of [false, true]) {
      const graph = new Graph();
      const x = graph.input('x', [3, 6, 5, 2]);
      const y = groupNorm(x, graph.input('scale', [6]), graph.input('shift', [6]), 3, 1e-5);
      graph.output('result', differentiated ? gradients(mean(square(y)), [x])[0]! : y);
      const { nodes, initializers } = lowerGraph(graph, { capabilities });
      const read = new Set(['result', ...nodes.flatMap(({ inputs }) => inputs)]);
      const unread = (names: readonly string[]) => !names.some((name) => read.has(name));
      assert.deepEqual(
        nodes.filter(({ outputs }) => unread(outputs)).map(({ name }) => name),
        [],
      );
      assert.deepEqual(
        initializers.map(({ name }) => name).filter((name) => unread([name])),
        [],
      );
    }
  }
});

test('shapes that values are brought into are no constants for the runtime where it is asked for', () => {
  for (const differentiated of [false, true]) {
    const graph = new Graph();
    const x = graph.input('x', [3, 6, 5, 2]);
    const y = groupNorm(x, graph.input('scale', [6]), graph.input('shift', [6]), 3, 1e-5);
    graph.output('result', differentiated ? gradients(mean(square(y)), [x])[0]! : y);
    const fed = [...graph.inputs.keys()];
    const { nodes, initializers, inputs } = lowerGraph(graph, { capabilities: portable, hidesShapes: true });
    const shapes = new Set(nodes.flatMap(({ opType, inputs: read }) => (opType === 'Reshape' ? [read[1]!] : [])));
    assert.ok(shapes.size > 1);
    const hidden = inputs.filter(({ name }) => !fed.includes(name));
    assert.deepEqual(new Set(hidden.map(({ name }) => name)), shapes);
    for (const { name, shape, type } of hidden) {
      assert.deepEqual(shape, [null]);
      assert.equal(type, 'int64');
      assert.ok(
        initializers.some((each) => each.name === name),
        'nobody has to feed it',
      );
    }
    assert.deepEqual(
      lowerGraph(graph, { capabilities: portable }).inputs.map(({ name }) => name),
      fed,
    );
  }
});

test('a reshape of a reshape is one', () => {
  const graph = new Graph();
  const x = graph.input('x', [3, 6]);
  graph.output('y', square(reshape(reshape(square(x), [18]), [2, 9])));
  const { nodes } = lowerGraph(graph);
  assert.deepEqual(
    nodes.map(({ opType }) => opType),
    ['Mul', 'Reshape', 'Mul'],
  );
});

/** Constants of more than sixteen numbers: those of fewer are the same one where their numbers are the same. */
function large(graph: Graph) {
  const { initializers } = lowerGraph(graph, { capabilities: portable });
  return initializers.filter(({ data }) => data.length > 16).map(({ dims }) => dims);
}

test('gather indices, filters and masks are one constant for each geometry, however many layers have it', () => {
  const convolutions = (layers: number, channels: number, groups: number) => {
    const graph = new Graph();
    const weights: Tensor[] = [];
    let x = graph.input('x', [2, channels, 6, 5]);
    for (let i = 0; i < layers; i++) {
      const weight = graph.input(`w${i}`, [channels, channels / groups, 3, 3]);
      weights.push(weight);
      x = conv2d(x, weight, null, { padding: 1, groups });
    }
    const last = graph.input('last', [20, channels, 3, 3]);
    const y = conv2d(x, last, null, { padding: 1, stride: 2 });
    gradients(mean(square(y)), [...weights, last]).forEach((gradient, i) => {
      graph.output(`g${i}`, gradient);
    });
    return large(graph);
  };
  const taps = 9 * 2;
  // The indices of stride 1 and of stride 2; and the row of zeros where it is wide.
  const expected = [[taps * 6 * 5], [taps * 3 * 3]];
  const sorted = (dims: (readonly number[])[]) => dims.toSorted((a, b) => b[0]! - a[0]!);
  assert.deepEqual(sorted(convolutions(1, 4, 1)), expected);
  assert.deepEqual(sorted(convolutions(5, 4, 2)), expected);
  assert.deepEqual(sorted(convolutions(5, 18, 1)), [...expected, [1, 18]]);

  const filters = new Graph();
  const once = upsample2(filters.input('x', [1, 3, 4, 4]), [1, 3, 3, 1], { gain: 4 });
  filters.output('y', upsample2(once, [1, 3, 3, 1], { gain: 4 }));
  assert.deepEqual(large(filters), [[3, 1, 4, 4]]);

  const masks = new Graph();
  const q = masks.input('q', [1, 7, 4]);
  const attended = headAttention(q, q, q, { heads: 2, causal: true });
  masks.output('y', headAttention(attended, attended, attended, { heads: 1, causal: true }));
  assert.deepEqual(large(masks), [[1, 7, 7]]);
});
