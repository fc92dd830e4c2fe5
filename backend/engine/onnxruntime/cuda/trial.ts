/** A small model on the card alone: what its provider lacks is no answer of the CPU's. */
import { encodeModel } from '../../../graph/onnx/proto.ts';
import { sizeOf } from '../../../graph/tensor-data.ts';
import { aligned, Memory } from '../c-api/memory.ts';
import { Session, type Surroundings } from '../c-api/session.ts';
import type { Trial } from '../operator-trials.ts';

export function cudaTrial(around: Surroundings): Trial {
  return async (lowered, feeds) => {
    const inputs = new Map(
      lowered.inputs.map(({ name, shape, type }) => [name, { shape: shape as number[], type: type as 'float32' }]),
    );
    const y = lowered.outputs.find(({ name }) => name === 'y')!;
    const session = await Session.open(around, encodeModel(lowered), {
      inputs,
      outputs: new Map([['y', { shape: y.shape, type: 'float32' }]]),
      threads: 1,
      quiet: true,
      config: { 'session.disable_cpu_ep_fallback': '1' },
    });
    try {
      const fed = Array.from(inputs.keys(), (name) => {
        const value = feeds[name]!;
        return new Memory('halves' in value ? value.halves : value.data);
      });
      const result = new Memory(aligned(sizeOf(y.shape), 'float32', (array) => around.library.koffi.address(array)));
      await session.run(fed, [result]);
      return result.numbers as Float32Array;
    } finally {
      session.close();
    }
  };
}
