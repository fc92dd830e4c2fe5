// Exits 0 when onnxruntime-node can add two vectors on WebGPU. Run it as a process of its own.
import assert from 'node:assert/strict';
import { InferenceSession, Tensor } from 'onnxruntime-node';

// The ONNX model `y = a + b` on three floats, as protobuf. Every length fits one byte.
const varint = (field, value) => [field << 3, value];
const bytes = (field, content) => [(field << 3) | 2, content.length, ...content];
const text = (field, content) => bytes(field, [...Buffer.from(content)]);
const vector = (name) => {
  const shape = bytes(1, varint(1, 3));
  return [...text(1, name), ...bytes(2, bytes(1, [...varint(1, 1), ...bytes(2, shape)]))];
};
const node = [...text(1, 'a'), ...text(1, 'b'), ...text(2, 'y'), ...text(4, 'Add')];
const inputs = [...bytes(11, vector('a')), ...bytes(11, vector('b'))];
const graph = [...bytes(1, node), ...text(2, 'probe'), ...inputs, ...bytes(12, vector('y'))];
const model = Uint8Array.from([...varint(1, 8), ...bytes(7, graph), ...bytes(8, varint(2, 17))]);

const session = await InferenceSession.create(model, { executionProviders: ['webgpu'] });
const a = new Tensor('float32', [1, 2, 3], [3]);
const b = new Tensor('float32', [10, 20, 30], [3]);
const { y } = await session.run({ a, b });
assert.deepEqual([...y.data], [11, 22, 33]);
