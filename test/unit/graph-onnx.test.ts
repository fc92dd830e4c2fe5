/** What an ONNX model of a graph holds, and what it does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { lowerGraph } from '../../backend/graph/onnx/emit.ts';
import { groupNorm, mean, square } from '../../backend/graph/ops/index.ts';

test('no node or constant that no output depends on: ONNX Runtime would keep for it what it reads', () => {
  for (const target of ['portable', 'ort-cpu'] as const) {
    for (const differentiated of [false, true]) {
      const graph = new Graph();
      const x = graph.input('x', [3, 6, 5, 2]);
      const y = groupNorm(x, graph.input('scale', [6]), graph.input('shift', [6]), 3, 1e-5);
      graph.output('result', differentiated ? gradients(mean(square(y)), [x])[0]! : y);
      const { nodes, initializers } = lowerGraph(graph, { target });
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
