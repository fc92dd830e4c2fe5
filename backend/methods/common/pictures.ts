/** A generator's pictures for whoever measures them: picture i has noise and a condition of its own, the same at every step. */
import type { Engine, Feed, Program } from '../../engine/engine.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { ConditionSource } from '../../models/conditions.ts';
import { stream } from '../../random/stream.ts';
import { fedAs } from '../../training/iteration.ts';
import type { Chunks } from '../../training/network-state.ts';
import type { SampledPictures } from '../../training/session.ts';
import type { TrainedNetwork } from '../../training/trained-network.ts';
import { decodeGraph } from './preview.ts';
import type { DistillTeacher } from './teacher.ts';

export interface PicturesOf {
  readonly engine: Engine;
  readonly teacher: DistillTeacher;
  /** As for a preview: inputs generator, z and conditions [count, ...], teacher below adapters; output x. */
  readonly generate: (count: number, name: string) => Promise<Program>;
  readonly generator: TrainedNetwork;
  /** The teacher's parameters below adapters. */
  readonly frozen: Chunks;
  readonly conditions: ConditionSource;
  readonly seed: number;
}

/** Pictures per call of the network. */
const batch = 16;

/** Nothing is compiled before the first picture is asked for. */
export class GeneratorPictures implements SampledPictures {
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly takesPrompts: boolean;
  readonly #of: PicturesOf;
  #programs: Promise<{ readonly generate: Program; readonly decode: Program | null }> | undefined;

  private constructor(of: PicturesOf, shape: readonly [number, number, number]) {
    const { conditions } = of.teacher.model;
    this.#of = of;
    this.shape = shape;
    this.takesPrompts = conditions.context !== undefined;
    this.classes = this.takesPrompts ? 0 : (conditions.labels?.[0] ?? 0);
  }

  static async create(of: PicturesOf): Promise<GeneratorPictures> {
    const decode = await decodeGraph(of.teacher, 1);
    const [, ...shape] = decode?.outputs.get('images')?.shape ?? [1, ...of.teacher.model.shape];
    return new GeneratorPictures(of, shape as [number, number, number]);
  }

  get averages(): readonly number[] {
    return this.#of.generator.emas;
  }

  async draw(indices: readonly number[], average?: number): Promise<TensorData> {
    const { generator } = this.#of;
    const size = sizeOf(this.shape);
    const images = new Float32Array(indices.length * size);
    for (let from = 0; from < indices.length; from += batch) {
      const own = indices.slice(from, from + batch);
      // The batch is fixed; what fills up the last one is not looked at.
      const whole = Array.from({ length: batch }, (_, i) => own[i] ?? own[0]!);
      const drawn = await this.#call(whole, generator.average(average));
      images.set(drawn.subarray(0, own.length * size), from * size);
    }
    return { shape: [indices.length, ...this.shape], data: images };
  }

  async #call(indices: readonly number[], generator: Chunks): Promise<Float32Array> {
    const { teacher, frozen, conditions, seed } = this.#of;
    const { generate, decode } = await this.#compiled();
    const z = { shape: [batch, ...teacher.model.shape], data: noise(seed, indices, sizeOf(teacher.model.shape)) };
    const feeds: Record<string, Feed> = {
      ...{ z, ...(await conditions.feeds(rowsOf(conditions, indices))) },
      ...{ ...fedAs('generator', generator), ...fedAs('teacher', frozen) },
    };
    const { x } = await generate.run(
      Object.fromEntries(Array.from(generate.inputs.keys(), (name) => [name, feeds[name]!])),
    );
    try {
      if (!decode) return (await x!.read()).slice();
      const { images } = await decode.run({ x: x! });
      try {
        return (await images!.read()).slice();
      } finally {
        images!.dispose();
      }
    } finally {
      x!.dispose();
    }
  }

  #compiled() {
    const { engine, teacher, generate } = this.#of;
    const compile = async () => {
      const decode = await decodeGraph(teacher, batch);
      return {
        generate: await generate(batch, 'measured samples'),
        decode: decode && (await engine.compile(decode, { name: 'measured pictures' })),
      };
    };
    this.#programs ??= compile();
    return this.#programs;
  }

  async dispose(): Promise<void> {
    const programs = await this.#programs?.catch(() => undefined);
    await programs?.generate.dispose();
    await programs?.decode?.dispose();
  }
}

function noise(seed: number, indices: readonly number[], size: number): Float32Array {
  const data = new Float32Array(indices.length * size);
  for (const [i, index] of indices.entries()) data.set(stream(seed, 'pictures', index, 'z').randn(size), i * size);
  return data;
}

function rowsOf(conditions: ConditionSource, indices: readonly number[]): TensorData {
  const { width } = conditions;
  const { data } = conditions.inTurn(Math.max(...indices) + 1);
  const rows = new Float32Array(indices.length * width);
  for (const [i, index] of indices.entries()) rows.set(data.subarray(index * width, (index + 1) * width), i * width);
  return { shape: [indices.length, width], data: rows };
}
