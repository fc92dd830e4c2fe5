/** Reading a WebGPU adapter's limits out of a refusal (backend/engine/onnxruntime/webgpu-limits.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsIn, promisedLimits } from '../../backend/engine/onnxruntime/webgpu-limits.ts';

const refused = (needed: number, most: number) =>
  `Non-zero status code returned while running Expand node. numbers_storage_buffers_ <= limits_ was false. Too many storage buffers in shader. Current: ${needed}, Max is ${most}`;

test('parts that are needed say how large a part may be', () => {
  // 32 GiB in parts of 1 GiB, and the number that is read.
  assert.deepEqual(limitsIn(refused(33, 12)), { bindingBytes: 2 ** 30, bindings: 12 });
  assert.deepEqual(limitsIn(refused(257, 8)), promisedLimits);
  // Of one byte less than 2 GiB there are seventeen parts, not sixteen.
  assert.deepEqual(limitsIn(refused(18, 16)), { bindingBytes: 2 ** 30, bindings: 16 });
});

test('what says nothing, or less than WebGPU promises, is not believed', () => {
  for (const text of ['', 'device lost', refused(9, 16), refused(1000, 12), refused(33, 4), refused(1, 0)]) {
    assert.equal(limitsIn(text), null, text);
  }
});
