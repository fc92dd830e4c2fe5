/** Parameters in one flat buffer: declared by the network itself, packed, used, and differentiated in one order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import {
  collectParameters,
  constantParameters,
  flatParameters,
  flatten,
  initialParameters,
  type ParameterSource,
  packParameters,
  unpackParameters,
} from '../../backend/graph/parameters.ts';
import { sizeOf, tensorData } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { testSeed } from '../random.ts';
import { assertClose } from './graph-ops/check.ts';
import { onnxRuntime, tensorflow } from './graph-ops/executors.ts';

const random = stream(testSeed, 'parameters');

/** A layer whose weight is used twice, a bias and a scalar. */
function network(source: ParameterSource, x: Tensor): Tensor {
  const weight = () => source.get('layer.weight', [4, 4], { kind: 'uniform', bound: 0.5 });
  const bias = source.get('layer.bias', [4], { kind: 'normal', std: 0.1 });
  const hidden = ops.tanh(ops.linear(x, weight(), bias));
  return ops.mul(ops.linear(hidden, weight()), source.get('gain', [], { kind: 'ones' }));
}

const layout = collectParameters((source) => network(source, source.graph.input('x', [2, 4])));

test('a network declares each parameter once, in the order of first use', () => {
  assert.deepEqual(
    layout.entries.map(({ name, shape, offset }) => [name, shape, offset]),
    [
      ['layer.bias', [4], 0],
      ['layer.weight', [4, 4], 4],
      ['gain', [], 20],
    ],
  );
  assert.equal(layout.size, 21);
});

test('packing and unpacking give the same arrays back', () => {
  const values = new Map(
    layout.entries.map(({ name, shape }) => [name, tensorData(shape, random.randn(sizeOf(shape)))]),
  );
  const flat = packParameters(layout, values);
  assert.equal(flat.length, layout.size);
  assert.deepEqual(unpackParameters(layout, flat), values);
  values.delete('gain');
  assert.throws(() => packParameters(layout, values), /parameter 'gain' is missing or mis-sized/);
  values.set('gain', tensorData([2], Float32Array.of(1, 2)));
  assert.throws(() => packParameters(layout, values), /parameter 'gain' is missing or mis-sized/);
});

test('starting values follow each declaration', () => {
  const flat = initialParameters(layout, random);
  const values = unpackParameters(layout, flat);
  assert.deepEqual(Array.from(values.get('gain')!.data), [1]);
  const weight = values.get('layer.weight')!.data;
  assert.ok(
    weight.every((w) => Math.abs(w) <= 0.5) && weight.some((w) => Math.abs(w) > 0.1) && weight.some((w) => w < 0),
  );
  assert.ok(values.get('layer.bias')!.data.every((b) => b !== 0 && Math.abs(b) < 1));
});

test('the flat buffer and constants give one result; the flat gradient is in the order of the buffer', async () => {
  const values = initialParameters(layout, random);
  const graph = new Graph();
  const x = graph.input('x', [2, 4]);
  const flat = graph.input('flat', [layout.size]);
  const parameters = flatParameters(layout, [flat]);
  const y = network(parameters, x);
  const loss = ops.sum(ops.square(y));
  graph.output('fromFlat', y);
  graph.output('fromConstants', network(constantParameters(graph, unpackParameters(layout, values)), x));
  graph.output('byParts', flatten(gradients(loss, parameters.tensors)));
  graph.output('whole', gradients(loss, [flat])[0]);
  const feeds = { x: tensorData([2, 4], random.randn(8)), flat: tensorData([layout.size], values) };
  for (const executor of [onnxRuntime, tensorflow]) {
    const program = await executor.prepare(graph);
    const results = await program.run(feeds);
    await program.close();
    assertClose(results.fromConstants, results.fromFlat, 1e-6, executor.name);
    assertClose(results.byParts, results.whole, 1e-6, executor.name);
    assert.ok(results.whole.every((g) => g !== 0));
  }
});

test('a wrong buffer, a missing name and another shape are refused', () => {
  const graph = new Graph();
  assert.throws(
    () => flatParameters(layout, [graph.input('short', [20])]),
    /flat buffer \[20\] does not hold 21 parameters/,
  );
  const parameters = flatParameters(layout, [graph.input('flat', [21])]);
  const init = { kind: 'zeros' } as const;
  assert.throws(() => parameters.get('layer.scale', [4], init), /parameter 'layer.scale' is missing/);
  assert.throws(
    () => parameters.get('layer.bias', [2, 2], init),
    /parameter 'layer.bias' is \[4\] where the network wants \[2,2\]/,
  );
});
