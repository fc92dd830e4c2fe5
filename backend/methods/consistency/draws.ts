/** What an iteration draws: which step of the teacher's path, the noise, and how strongly the teacher is guided. Pure functions of the point. */
import { stream } from '../../random/stream.ts';
import { type DrawPoint, type LevelDraw, type LevelRange, streamDraws } from '../../training/draws.ts';

export interface ConsistencyDraws {
  /** `indices` of steps in the range, and standard normal noise [count, ...]. */
  step(at: DrawPoint, count: number, range: LevelRange): LevelDraw;
  /** Uniform in [low, high], [count]. */
  guidance(at: DrawPoint, count: number, range: GuidanceRange): Float32Array;
}

/** Scales of classifier-free guidance, 1 none. */
export type GuidanceRange = readonly [low: number, high: number];

/** The draws of a run, a function of its seed alone. @param sample shape of one sample */
export function streamConsistencyDraws(seed: number, sample: readonly number[]): ConsistencyDraws {
  const { matching } = streamDraws(seed, sample, { draw: () => ({ shape: [0], data: new Float32Array() }) });
  return {
    step: matching,
    guidance: ({ step, micro }, count, [low, high]) =>
      stream(seed, 'distill', step, micro, 'guidance')
        .rand(count)
        .map((share) => low + share * (high - low)),
  };
}
