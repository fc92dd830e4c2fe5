/** What an iteration of progressive distillation draws: noise, and which of the student's steps it trains. Pure functions of the point. */
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { stream } from '../../random/stream.ts';
import type { DrawPoint } from '../../training/draws.ts';

export interface ProgressiveDraws {
  /** Of `steps`, for each sample, from 0. */
  which(at: DrawPoint, count: number, steps: number): readonly number[];
  /** Standard normal [count, ...]. */
  noise(at: DrawPoint, count: number): TensorData;
}

/** The draws of a run, a function of its seed alone. @param sample shape of one sample */
export function streamProgressiveDraws(seed: number, sample: readonly number[]): ProgressiveDraws {
  const of = ({ step, micro }: DrawPoint, what: string) => stream(seed, 'distill', 'progressive', step, micro, what);
  return {
    which: (at, count, steps) => [...of(at, 'steps').randint(0, steps, count)],
    noise(at, count) {
      const shape = [count, ...sample];
      return { shape, data: of(at, 'normal').randn(sizeOf(shape)) };
    },
  };
}
