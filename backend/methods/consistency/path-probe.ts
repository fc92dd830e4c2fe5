/**
 * The probe of consistency distillation: fixed noise is led down the teacher's path once, and at some levels on the way f is held against
 * the path's end, which it is to give from anywhere. It has a random stream of its own and only reads parameters: a run with a probe is
 * bit-equal to one without.
 */
import type { Engine, Feed, Program } from '../../engine/engine.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { ConditionSource, HostTensors } from '../../models/conditions.ts';
import { levelFeeds } from '../../models/diffusion-model.ts';
import { stream } from '../../random/stream.ts';
import { fedAs, type Scalars } from '../../training/iteration.ts';
import type { Chunks } from '../../training/network-state.ts';
import { unconditionalFeeds } from '../dmd/score-programs.ts';
import { type ConsistencyShape, errorGraph, pathGraph } from './graphs.ts';

export interface PathProbeOptions {
  /** Scale of the teacher's guidance; up to 1 none. */
  readonly guidance: number;
  /** Samples. */
  readonly count?: number;
  /** Levels at which the generator is called, the highest among them. */
  readonly levels?: number;
}

interface Path {
  /** By index of the noise level, descending. */
  readonly points: ReadonlyMap<number, TensorData>;
  readonly end: TensorData;
}

export class PathProbe {
  readonly #engine: Engine;
  readonly #shape: ConsistencyShape;
  readonly #conditions: ConditionSource;
  readonly #options: Required<PathProbeOptions>;
  #path: Path | undefined;
  #error: Program | undefined;

  constructor(
    engine: Engine,
    shape: ConsistencyShape,
    conditions: ConditionSource,
    { guidance, count = 4, levels = 5 }: PathProbeOptions,
  ) {
    this.#engine = engine;
    this.#shape = shape;
    this.#conditions = conditions;
    this.#options = { guidance, count, levels };
  }

  /** Mean |f - end| by `probe/path/` and the level's index. @param teacher its parameters, on the device */
  async read(generator: Chunks, teacher: Chunks): Promise<Scalars> {
    const { count } = this.#options;
    const given = await this.#conditions.feeds(this.#conditions.inTurn(count));
    this.#path ??= await this.#walk(given, teacher);
    this.#error ??= await this.#engine.compile(errorGraph(this.#shape, count), { name: 'probe: error' });
    const { points, end } = this.#path;
    const errors: Scalars = {};
    for (const [index, xt] of points) {
      const feeds = {
        ...given,
        xt,
        end,
        ...this.#level(index),
        ...fedAs('generator', generator),
        ...fedAs('teacher', teacher),
      };
      const { error } = await this.#error.run(taken(this.#error, feeds));
      errors[`probe/path/${index}`] = (await error!.read())[0]!;
      error!.dispose();
    }
    return errors;
  }

  async dispose(): Promise<void> {
    await this.#error?.dispose();
  }

  #level(index: number, suffix = ''): HostTensors {
    return levelFeeds(this.#shape.student.levels, Array(this.#options.count).fill(index), suffix);
  }

  async #walk(given: HostTensors, teacher: Chunks): Promise<Path> {
    const { steps, student } = this.#shape;
    const { count, guidance, levels } = this.#options;
    const shape = [count, ...student.shape];
    const { scale } = student.calledAt;
    const z = stream(0, 'probe', 'path', 'z').randn(sizeOf(shape));
    let xt: TensorData = { shape, data: z.map((value) => scale * value) };
    const step = await this.#engine.compile(pathGraph(this.#shape, count), { name: 'probe: path' });
    const fixed: Record<string, Feed> = {
      ...given,
      ...unconditionalFeeds(this.#shape, this.#conditions),
      guidance: { shape: [count], data: new Float32Array(count).fill(guidance) },
      ...fedAs('teacher', teacher),
    };
    const last = steps.length - 1;
    const rungs = new Set(Array.from({ length: levels }, (_, i) => Math.round((last * i) / Math.max(1, levels - 1))));
    const points = new Map<number, TensorData>();
    try {
      for (let i = last; i >= 0; i--) {
        const { from, to } = steps[i]!;
        if (rungs.has(i)) points.set(from, xt);
        const { xNext } = await step.run(
          taken(step, { ...fixed, xt, ...this.#level(from), ...this.#level(to, 'Next') }),
        );
        xt = { shape, data: (await xNext!.read()).slice() };
        xNext!.dispose();
      }
    } finally {
      await step.dispose();
    }
    return { points, end: xt };
  }
}

function taken({ inputs }: Program, feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name)));
}
