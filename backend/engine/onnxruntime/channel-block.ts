/**
 * How many channels ONNX Runtime's blocked layout keeps side by side on this processor: 16 with AVX-512, 8 with AVX2, and
 * nothing tells but the layout itself.
 */
import { encodeModel } from '../../graph/onnx/proto.ts';
import { runtime } from './runtime.ts';

let known: Promise<number> | null = null;

/** Channels per block; 0 where the runtime has no blocked layout. Found once per process. */
export function channelBlock(): Promise<number> {
  known ??= probe().catch(() => 0);
  return known;
}

/** Two pixels of many channels, reordered: the second pixel of channel 0 comes right after the block of the first one. */
async function probe(): Promise<number> {
  const channels = 64;
  const shape = [1, channels, 1, 2];
  const domain = 'com.microsoft.nchwc';
  const model = encodeModel({
    nodes: [{ name: 'reorder', opType: 'ReorderInput', domain, inputs: ['x'], outputs: ['y'], attributes: {} }],
    initializers: [],
    inputs: [{ name: 'x', shape }],
    outputs: [{ name: 'y', shape }],
    opsets: [
      { domain: '', version: 18 },
      { domain, version: 1 },
    ],
    metadata: {},
  });
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  try {
    const x = Float32Array.from({ length: 2 * channels }, (_, i) => i);
    const { y } = await session.run({ x: new runtime.Tensor('float32', x, shape) });
    const block = (y.data as Float32Array).indexOf(1);
    return block > 1 && channels % block === 0 ? block : 0;
  } finally {
    await session.release();
  }
}
