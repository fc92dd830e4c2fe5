/** What a DMD2 iteration draws beside a DMD one: which real images, and noise at which images are told apart. Pure functions of the point. */
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { ConditionSource } from '../../models/conditions.ts';
import { stream } from '../../random/stream.ts';
import { type DrawPoint, type Draws, type LevelDraw, type LevelRange, streamDraws } from '../../training/draws.ts';

/** Whose images a level is drawn for: the generator's in its own half, or either kind in the discriminator's. */
export type ToldApart = 'generator' | 'fake' | 'real';

export interface Dmd2Draws extends Draws {
  gan(of: ToldApart, at: DrawPoint, count: number, range: LevelRange): LevelDraw;
  /** Which of a generator's `calls` a micro-batch trains, from 0. */
  call(at: DrawPoint, calls: number): number;
  /** Standard normal [count, ...]: put on the image of call `before` for the next one. */
  again(at: DrawPoint, before: number, count: number): TensorData;
  /** Standard normal [count, ...]: where D is looked at beside a real image. */
  beside(at: DrawPoint, count: number): TensorData;
}

/** The draws of a run, a function of its seed alone. @param sample shape of one sample */
export function streamDmd2Draws(
  seed: number,
  sample: readonly number[],
  conditions: Pick<ConditionSource, 'draw'>,
): Dmd2Draws {
  const path = (what: string, { step, micro, update }: DrawPoint) => ['distill', 'gan', what, step, micro, update];
  const normal = (of: readonly (string | number)[], count: number): TensorData => {
    const shape = [count, ...sample];
    return { shape, data: stream(seed, ...of, 'normal').randn(sizeOf(shape)) };
  };
  return {
    ...streamDraws(seed, sample, conditions),
    gan: (of, at, count, { first, last }) => ({
      indices: [...stream(seed, ...path(of, at), 'levels').randint(first, last + 1, count)],
      noise: normal(path(of, at), count),
    }),
    call: (at, calls) => stream(seed, ...path('call', at)).randint(0, calls, 1)[0]!,
    again: (at, before, count) => normal([...path('again', at), before], count),
    beside: (at, count) => normal(path('beside', at), count),
  };
}
