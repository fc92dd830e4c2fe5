/** A process of its own that asks WebGPU for more than any device has, and sends its parent what that is refused with. */
import { encodeModel, type OnnxModel } from '../../graph/onnx/proto.ts';
import { runtime } from './runtime.ts';
import { refusedBytes } from './webgpu-limits.ts';

const node = (opType: string, inputs: string[], output: string) => ({
  ...{ name: opType, opType, domain: '', inputs, outputs: [output], attributes: {} },
});
/** The largest of many copies of one number. */
const model: OnnxModel = {
  nodes: [node('Expand', ['x', 'size'], 'many'), node('ReduceMax', ['many'], 'y')],
  initializers: [{ name: 'size', dims: [1], data: BigInt64Array.of(BigInt(refusedBytes / 4)) }],
  inputs: [{ name: 'x', shape: [1] }],
  outputs: [{ name: 'y', shape: [1] }],
  opsets: [{ domain: '', version: 18 }],
  metadata: {},
};

let refusal = '';
try {
  const session = await runtime.InferenceSession.create(encodeModel(model), {
    executionProviders: ['webgpu'],
    logSeverityLevel: 4,
  });
  await session.run({ x: new runtime.Tensor('float32', Float32Array.of(1), [1]) });
} catch (error) {
  refusal = error instanceof Error ? error.message : String(error);
}
// Leaves without the runtime's own clean-up, as the other trial processes do.
process.send?.({ refusal }, () => process.exit(0));
