/** One-step samples of fixed noise and conditions as pictures: the same grid at every recorded step. */
import type { Engine, Feed, Program } from '../../engine/engine.ts';
import { Graph } from '../../graph/graph.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { ConditionSource } from '../../models/conditions.ts';
import { stream } from '../../random/stream.ts';
import { fedAs } from '../../training/iteration.ts';
import type { Chunks } from '../../training/network-state.ts';
import type { DistillTeacher, WeightsOf } from './teacher.ts';

export interface Preview {
  /** [count, C, H, W] of a generator as it is, and the teacher's parameters below adapters. */
  images(generator: Chunks, teacher: Chunks): Promise<TensorData>;
  dispose(): Promise<void>;
}

/** From samples to pictures as a graph of its own; null where samples are pictures. */
export async function decodeGraph(teacher: DistillTeacher, count: number, weights?: WeightsOf): Promise<Graph | null> {
  const decode = await teacher.pictures(weights);
  if (!decode) return null;
  const graph = new Graph();
  graph.output('images', decode(graph.input('x', [count, ...teacher.model.shape])));
  return graph;
}

/** @param programs generate, which this disposes of: inputs generator, z and conditions [count, ...], teacher below adapters; output x */
export async function openPreview(
  engine: Engine,
  programs: { readonly generate: Program; readonly decode: Graph | null },
  conditions: ConditionSource,
  seed: number,
): Promise<Preview> {
  const { generate } = programs;
  const decode = programs.decode && (await engine.compile(programs.decode, { name: 'decoder' }));
  const { shape } = generate.inputs.get('z')!;
  const z = { shape, data: stream(seed, 'samples', 'z').randn(sizeOf(shape)) };
  const fixed = { z, ...(await conditions.feeds(conditions.inTurn(shape[0]!))) };
  return {
    async images(generator, teacher) {
      const feeds: Record<string, Feed> = { ...fixed, ...fedAs('generator', generator), ...fedAs('teacher', teacher) };
      const own = Object.fromEntries(Array.from(generate.inputs.keys(), (name) => [name, feeds[name]!]));
      const { x } = await generate.run(own);
      const { images } = decode ? await decode.run({ x: x! }) : { images: x };
      const picture = { shape: images!.shape, data: (await images!.read()).slice() };
      x!.dispose();
      if (decode) images!.dispose();
      return picture;
    },
    async dispose() {
      await generate.dispose();
      await decode?.dispose();
    },
  };
}
