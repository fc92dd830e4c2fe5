/** A whole DMD iteration on TensorFlow.js and on ONNX Runtime, written independently of each other, gives the same numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { createTensorflowEngine } from '../../backend/engine/tensorflow/engine.ts';
import { assertAgree } from './dmd-iteration/agree.ts';
import { runIteration } from './dmd-iteration/iteration.ts';

test('every output of an iteration agrees between the two executors', async () => {
  const onnx = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const tensorflow = await createTensorflowEngine({ backend: 'cpu' });
  const [actual, expected] = [await runIteration(onnx), await runIteration(tensorflow)];
  assertAgree(actual, expected, 1e-3);
  const moved = new Map(actual).set(
    'lossFake',
    actual.get('lossFake')!.map((loss) => loss * 1.01),
  );
  assert.throws(() => assertAgree(moved, expected, 1e-3), /lossFake: off by/);
  await onnx.dispose();
  await tensorflow.dispose();
});
