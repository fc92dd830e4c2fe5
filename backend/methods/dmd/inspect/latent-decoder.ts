/** Pictures of latents one after the other, by the decoder that a run's samples are made with. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Engine } from '../../../engine/engine.ts';
import type { TensorData } from '../../../graph/tensor-data.ts';
import { UserError } from '../../../protocol/errors.ts';
import { decodeGraph } from '../../common/preview.ts';
import type { DistillTeacher } from '../../common/teacher.ts';

export interface LatentDecoder {
  /** [N, C, h, w] to [N, 3, H, W]. Throws UserError: 'usage' for another shape, 'cancelled'. */
  decode(latents: TensorData, signal?: AbortSignal): Promise<TensorData>;
  dispose(): Promise<void>;
}

/** Throws UserError('usage') for a teacher whose samples are pictures. */
export async function openLatentDecoder(engine: Engine, teacher: DistillTeacher): Promise<LatentDecoder> {
  const graph = await decodeGraph(teacher, 1);
  if (!graph) {
    throw new UserError('usage', 'the samples of this run are pictures, not latents', 'Look at them as they are.');
  }
  const program = await engine.compile(graph, { name: 'decoder' });
  const { shape } = teacher.model;
  return {
    async decode(latents, signal) {
      const [count = 0, ...own] = latents.shape;
      if (own.join() !== shape.join()) {
        const message = `latents of this run are ${shape.join(' x ')}, these ${own.join(' x ')}`;
        throw new UserError('usage', message, 'Decode fields of this run.');
      }
      const size = latents.data.length / Math.max(1, count);
      const pictures: Float32Array[] = [];
      let picture: readonly number[] = [3, 0, 0];
      for (let i = 0; i < count; i++) {
        if (signal?.aborted) throw new UserError('cancelled', 'decoding was stopped');
        const x = { shape: [1, ...shape], data: latents.data.slice(i * size, (i + 1) * size) };
        const { images } = await program.run({ x });
        picture = images!.shape.slice(1);
        pictures.push((await images!.read()).slice());
        images!.dispose();
        await turn(); // a cancellation arrives now
      }
      const each = picture.reduce((product, side) => product * side, 1);
      const data = new Float32Array(count * each);
      for (const [i, one] of pictures.entries()) data.set(one, i * each);
      return { shape: [count, ...picture], data };
    },
    dispose: () => program.dispose(),
  };
}
