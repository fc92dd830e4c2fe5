/**
 * Every operation: ONNX Runtime (with its own operators, with standard ones only, and attention in parts) against TensorFlow.js,
 * values and gradients, and the gradients against finite differences. Inputs are fresh at every run; a failure names the seed
 * (test/random.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernels } from '../../backend/engine/tensorflow/kernels/index.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { lowerings } from '../../backend/graph/onnx/emit.ts';
import { gradientRules } from '../../backend/graph/ops/gradient-rules.ts';
import { sum } from '../../backend/graph/ops/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { testSeed } from '../random.ts';
import { checkCase, graphOf } from './graph-ops/check.ts';
import { onnxInParts, onnxRuntime, portableOnnx } from './graph-ops/executors.ts';
import { opCases } from './graph-ops/table.ts';

for (const entry of opCases) {
  const title = `${entry.op}: ${entry.name}`;
  test(title, async () => {
    const executors = [onnxRuntime, portableOnnx, ...(/attention/i.test(entry.op) ? [onnxInParts] : [])];
    await checkCase(entry, executors, stream(testSeed, title));
    // Where no gradient reads what an operation saves, it may be another operator.
    if (entry.gradient !== 'none') {
      await checkCase({ ...entry, gradient: 'none' }, executors, stream(testSeed, title));
    }
  });
}

test('every operation is in the table, with its gradient where it has one', () => {
  const tested = new Set(opCases.map(({ op }) => op));
  const differentiated = new Set(opCases.filter(({ gradient }) => gradient !== 'none').map(({ op }) => op));
  const alone = ['input', 'constant']; // in every case, and with nothing to compute
  assert.deepEqual(Object.keys(lowerings).sort(), [...Object.keys(kernels), ...alone].sort(), 'lowerings, kernels');
  assert.deepEqual([...tested].sort(), Object.keys(kernels).sort(), 'operations in the table');
  const rules = Object.entries(gradientRules).filter(([, rule]) => rule !== null);
  assert.deepEqual(
    rules.map(([name]) => name).filter((name) => !differentiated.has(name)),
    [],
  );
});

test('each case holds the operation it is about', () => {
  for (const entry of opCases) {
    const ops = graphOf(entry).nodes.map((node) => node.type.name);
    assert.ok(ops.includes(entry.op), `${entry.op}: ${entry.name} has only ${ops}`);
  }
});

test('gradients end where an operation has none', () => {
  for (const op of Object.keys(gradientRules).filter((name) => gradientRules[name] === null)) {
    const entry = opCases.find((each) => each.op === op && each.gradient === 'none')!;
    const graph = new Graph();
    const inputs = entry.inputs.map(({ shape }, i) => graph.input(`x${i}`, shape));
    const loss = sum(entry.build(inputs));
    assert.throws(() => gradients(loss, inputs), /wanted tensor 0 .* has no influence on the loss/, op);
  }
});
