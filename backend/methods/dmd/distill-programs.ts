/** The compiled programs of a distillation: always the same few, whether it runs freely or under the debugger. */
import type { Engine, Program } from '../../engine/engine.ts';
import { Graph } from '../../graph/graph.ts';
import { flatParameters, type ParameterLayout } from '../../graph/parameters.ts';
import { type Denoiser, labelInput } from '../../models/denoiser.ts';
import { generate } from '../../models/one-call.ts';
import { Accumulator, Updater } from '../../training/optimizer-state.ts';
import { fakeScoreGraph } from './fake-score-graph.ts';
import { type GeneratorGraphOptions, generatorGraph } from './generator-graph.ts';

export interface DistillShape extends GeneratorGraphOptions {
  readonly sigmaData: number;
  readonly accumulation: number;
  readonly fakeUpdates: number;
}

export interface DistillPrograms {
  readonly generator: Program;
  readonly generatorUpdater: Updater;
  /** Null where the fake score is not trained: without distribution matching, or with the real score alone. */
  readonly fake: Program | null;
  readonly fakeUpdater: Updater | null;
  /** Fresh images for further fake-score updates. */
  readonly generate: Program | null;
  /** Null with one micro-batch per update. */
  readonly generatorAccumulator: Accumulator | null;
  readonly fakeAccumulator: Accumulator | null;
  dispose(): Promise<void>;
}

/** The graphs of an iteration, and what of each network is trained. */
export interface DistillGraphs {
  readonly generator: Graph;
  /** Null where the fake score is not trained. */
  readonly fake: Graph | null;
  /** Null without further fake-score updates. */
  readonly generate: Graph | null;
  readonly layouts: { readonly generator: ParameterLayout; readonly fake: ParameterLayout };
  readonly accumulation: number;
}

/** EDM's programs. */
export function createDistillPrograms(engine: Engine, shape: DistillShape): Promise<DistillPrograms> {
  const { network, batch, generatorSigma, sigmaData, matching, accumulation } = shape;
  const trainsFake = matching !== null && !matching.realOnly;
  return compileDistill(engine, {
    generator: generatorGraph(shape),
    fake: trainsFake ? fakeScoreGraph(network, batch, sigmaData) : null,
    generate: trainsFake && shape.fakeUpdates > 1 ? generateGraph(network, batch, generatorSigma) : null,
    layouts: { generator: network.layout, fake: network.layout },
    accumulation,
  });
}

export async function compileDistill(engine: Engine, graphs: DistillGraphs): Promise<DistillPrograms> {
  const { layouts, accumulation } = graphs;
  const compile = (graph: Graph | null, name: string) => graph && engine.compile(graph, { name });
  const generator = await engine.compile(graphs.generator, { name: 'generator' });
  const generatorUpdater = await Updater.create(engine, layouts.generator, 'generator update');
  const fake = await compile(graphs.fake, 'fake score');
  const fakeUpdater = fake && (await Updater.create(engine, layouts.fake, 'fake score update'));
  const generate = await compile(graphs.generate, 'generate');
  const generatorAccumulator = accumulation > 1 ? await Accumulator.create(engine, layouts.generator) : null;
  const sameSize = layouts.fake.trainedSize === layouts.generator.trainedSize;
  const fakeAccumulator =
    fake && generatorAccumulator && !sameSize ? await Accumulator.create(engine, layouts.fake) : generatorAccumulator;
  const all = new Set([
    generator,
    generatorUpdater,
    fake,
    fakeUpdater,
    generate,
    generatorAccumulator,
    fakeAccumulator,
  ]);
  return {
    generator,
    generatorUpdater,
    fake,
    fakeUpdater,
    generate,
    generatorAccumulator,
    fakeAccumulator,
    async dispose() {
      for (const program of all) await program?.dispose();
    },
  };
}

/** Inputs: generator [N], z [B, ...], labels [B, L]; output x [B, ...]. */
export function generateGraph(network: Denoiser, batch: number, generatorSigma: number): Graph {
  const graph = new Graph();
  const source = flatParameters(network.layout, graph.input('generator', [network.layout.size]));
  const z = graph.input('z', [batch, ...network.imageShape]);
  const labels = labelInput(graph, 'labels', batch, network);
  graph.output('x', generate(network, source, z, labels, generatorSigma));
  return graph;
}
