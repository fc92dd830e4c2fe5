/**
 * The random draws of a latent iteration, each kind with a stream of its own: which prompts, which noise, which timesteps. All are
 * pure functions of the run's seed and the point in the run.
 */
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import { stream } from '../../../random/stream.ts';
import type { DrawPoint } from '../../../training/draws.ts';

/** Timesteps uniform in first..last, inclusive. */
export interface TimestepRange {
  readonly first: number;
  readonly last: number;
}

export interface LatentDraw {
  /** Standard normal [count, C, h, w]. */
  readonly z: TensorData;
  /** Numbers of prompts, [count]. */
  readonly prompts: readonly number[];
}

export interface LevelDraw {
  /** [count]. */
  readonly timesteps: readonly number[];
  /** Standard normal [count, C, h, w]. */
  readonly noise: TensorData;
}

/** Recorded draws can stand in for the streams. */
export interface LatentDraws {
  latents(at: DrawPoint, count: number): LatentDraw;
  matching(at: DrawPoint, count: number, range: TimestepRange): LevelDraw;
  fake(at: DrawPoint, count: number, range: TimestepRange): LevelDraw;
}

/** @param prompts how many there are to draw from */
export function latentStreamDraws(seed: number, latentShape: readonly number[], prompts: number): LatentDraws {
  const at = ({ step, micro }: DrawPoint) => ['distill', step, micro];
  const fakePath = (point: DrawPoint) => [...at(point), 'fake', point.update];
  const normal = (path: (string | number)[], count: number): TensorData => {
    const shape = [count, ...latentShape];
    return { shape, data: stream(seed, ...path, 'normal').randn(sizeOf(shape)) };
  };
  const level = (path: (string | number)[], count: number, { first, last }: TimestepRange): LevelDraw => ({
    timesteps: [...stream(seed, ...path, 'levels').randint(first, last + 1, count)],
    noise: normal(path, count),
  });
  return {
    latents(point, count) {
      const path = point.update === 0 ? [...at(point), 'generator'] : [...fakePath(point), 'images'];
      const ids = stream(seed, ...path, 'prompts').randint(0, prompts, count);
      return { z: normal(path, count), prompts: [...ids] };
    },
    matching: (point, count, range) => level([...at(point), 'matching'], count, range),
    fake: (point, count, range) => level(fakePath(point), count, range),
  };
}
