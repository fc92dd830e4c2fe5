/**
 * The random draws of one iteration. Each kind has a stream of its own, named by seed, purpose and step, so that switching one
 * loss off does not change what another draws.
 */
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { ConditionSource } from '../models/conditions.ts';
import { stream } from '../random/stream.ts';

/** Where in a run a draw belongs. `update` is 0 for the generator's own samples, k for the fake score's k-th further ones. */
export interface DrawPoint {
  readonly step: number;
  readonly micro: number;
  readonly update: number;
}

/** Indices of noise levels, uniform in first..last, inclusive. */
export interface LevelRange {
  readonly first: number;
  readonly last: number;
}

export interface Latents {
  /** Standard normal [count, ...]. */
  readonly z: TensorData;
  /** What they are to be of, [count, width], as the condition source has it. */
  readonly rows: TensorData;
}

export interface LevelDraw {
  /** [count] */
  readonly indices: readonly number[];
  /** Standard normal [count, ...]. */
  readonly noise: TensorData;
}

/** Everything an iteration draws at random: pure functions of the point. Recorded draws can stand in for the streams. */
export interface Draws {
  latents(at: DrawPoint, count: number): Latents;
  matching(at: DrawPoint, count: number, range: LevelRange): LevelDraw;
  fake(at: DrawPoint, count: number, range: LevelRange): LevelDraw;
}

type Path = readonly (string | number)[];

/** The draws of a run, a function of its seed alone. @param sample shape of one sample */
export function streamDraws(seed: number, sample: readonly number[], conditions: Pick<ConditionSource, 'draw'>): Draws {
  const at = ({ step, micro }: DrawPoint): Path => ['distill', step, micro];
  const fakePath = (point: DrawPoint): Path => [...at(point), 'fake', point.update];
  // Samples for further fake-score updates have a stream of their own: with that update's, their z would be its noise.
  const latentPath = (point: DrawPoint): Path =>
    point.update === 0 ? [...at(point), 'generator'] : [...fakePath(point), 'images'];
  const normal = (path: Path, count: number): TensorData => {
    const shape = [count, ...sample];
    return { shape, data: stream(seed, ...path, 'normal').randn(sizeOf(shape)) };
  };
  const level = (path: Path, count: number, { first, last }: LevelRange): LevelDraw => ({
    indices: [...stream(seed, ...path, 'levels').randint(first, last + 1, count)],
    noise: normal(path, count),
  });
  return {
    latents(point, count) {
      const path = latentPath(point);
      return { z: normal(path, count), rows: conditions.draw(seed, path, count) };
    },
    matching: (point, count, range) => level([...at(point), 'matching'], count, range),
    fake: (point, count, range) => level(fakePath(point), count, range),
  };
}

/**
 * The same draws, but those of the next step are made while this thread waits for a program: what was asked for with one step is taken
 * to be asked for with the next. Not for recorded draws, which end somewhere.
 */
export function drawnAhead(draws: Draws): Draws {
  const kinds = { latents: ahead(draws.latents), matching: ahead(draws.matching), fake: ahead(draws.fake) };
  return { ...draws, ...kinds };
}

/** Of one kind: what the next step will ask for waits, until a later one asks. */
function ahead<Rest extends readonly unknown[], Drawn>(draw: (at: DrawPoint, ...rest: Rest) => Drawn) {
  const waiting = new Map<string, { readonly step: number; readonly drawn: Drawn }>();
  return (at: DrawPoint, ...rest: Rest): Drawn => {
    const key = ({ step, micro, update }: DrawPoint) => JSON.stringify([step, micro, update, rest]);
    const found = waiting.get(key(at));
    for (const [old, { step }] of waiting) if (step < at.step) waiting.delete(old);
    waiting.delete(key(at));
    const next = { step: at.step + 1, micro: at.micro, update: at.update };
    setImmediate(() => waiting.set(key(next), { step: next.step, drawn: draw(next, ...rest) }));
    return found ? found.drawn : draw(at, ...rest);
  };
}
