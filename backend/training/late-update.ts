/**
 * A network's update that is computed when it is committed, a buffer of a chunk at a time: each new one takes the old one's place, whose
 * memory the next one finds free. Beside the state there is then one buffer of a chunk, where an update that is computed before has a
 * second state. The numbers are those of `updateGraph`.
 */
import type { DeviceTensor, Engine, Feed, Program } from '../engine/engine.ts';
import { byChunk, type Chunk, type ParameterLayout } from '../graph/parameters.ts';
import type { BufferedState } from './network-state.ts';
import { type UpdateSettings, updateFeeds } from './update-graph.ts';
import { type Part, partGraph, partsOf, scaleGraph } from './update-parts.ts';

/** What waits to be committed. */
export interface Waiting {
  readonly gradient: readonly DeviceTensor[];
  /** What the gradient is multiplied by, []. */
  readonly factor: DeviceTensor;
  readonly settings: UpdateSettings;
  readonly step: number;
}

export class LateUpdate {
  readonly #engine: Engine;
  readonly #layout: ParameterLayout;
  readonly #averages: readonly string[];
  readonly #scale: Program;
  /** By what they compute, and of which sizes. */
  readonly #parts: ReadonlyMap<string, Program>;

  private constructor(
    engine: Engine,
    layout: ParameterLayout,
    averages: readonly string[],
    scale: Program,
    parts: ReadonlyMap<string, Program>,
  ) {
    this.#engine = engine;
    this.#layout = layout;
    this.#averages = averages;
    this.#scale = scale;
    this.#parts = parts;
  }

  static async create(engine: Engine, layout: ParameterLayout, averages: readonly string[], name: string) {
    const scale = await engine.compile(scaleGraph(layout), { name: `${name} norm` });
    const parts = new Map<string, Program>();
    for (const chunk of layout.chunks) {
      for (const part of partsOf(chunk, averages)) {
        const key = keyOf(part, chunk);
        if (parts.has(key)) continue;
        parts.set(key, await engine.compile(partGraph(part, chunk), { name: `${name} ${part.kind}` }));
      }
    }
    return new LateUpdate(engine, layout, averages, scale, parts);
  }

  /** @returns the gradient's norm before clipping, [], and what waits; the gradient stays the caller's */
  async begin(
    gradient: readonly DeviceTensor[],
    settings: UpdateSettings,
    step: number,
  ): Promise<{ readonly norm: DeviceTensor; readonly waiting: Waiting }> {
    const { data } = updateFeeds(settings, step).limits;
    const limits = { shape: [2], data: data.slice(0, 2) };
    const { norm, factor } = await this.#scale.run({ ...byChunk('gradient', gradient), limits });
    return { norm: norm!, waiting: { gradient, factor: factor!, settings, step } };
  }

  /** Puts the new state in the old one's place, which is half new where this throws. */
  async commit(state: BufferedState, { gradient, factor, settings, step }: Waiting): Promise<void> {
    const { adamW, limits } = updateFeeds(settings, step);
    const adam = this.#engine.upload(adamW);
    try {
      // Chunks without trained numbers have no gradient, and lie behind all others.
      for (const [i, chunk] of this.#layout.chunks.entries()) {
        for (const part of partsOf(chunk, this.#averages)) {
          const of = (name: string) => state.get(name)![i]!;
          const anew = settings.fresh && part.kind.endsWith('Moment');
          const old: Feed = anew ? { shape: [chunk.size], data: new Float32Array(chunk.size) } : of(part.buffer);
          const decay = { shape: [], data: limits.data.slice(2 + part.average, 3 + part.average) };
          const program = this.#parts.get(keyOf(part, chunk))!;
          const feeds: Readonly<Record<string, () => Feed>> = {
            ...{ old: () => old, gradient: () => gradient[i]!, factor: () => factor, adamW: () => adam },
            ...{ firstMoment: () => of('firstMoment'), secondMoment: () => of('secondMoment') },
            ...{ parameters: () => of('parameters'), decay: () => decay },
          };
          const fed = Object.fromEntries([...program.inputs.keys()].map((name) => [name, feeds[name]!()]));
          const { next } = await program.run(fed);
          of(part.buffer).dispose();
          state.get(part.buffer)![i] = next!;
        }
      }
    } finally {
      adam.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.#scale.dispose();
    for (const program of this.#parts.values()) await program.dispose();
  }
}

const keyOf = ({ kind }: Part, { size, trainedSize }: Chunk) => `${kind} ${size} ${trainedSize}`;
