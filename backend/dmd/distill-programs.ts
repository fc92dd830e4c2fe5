/** The compiled programs of a distillation: always the same few, whether it runs freely or under the debugger. */
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { flatParameters } from '../graph/parameters.ts';
import { type Denoiser, labelInput } from './denoiser.ts';
import { fakeScoreGraph } from './fake-score-graph.ts';
import { type GeneratorGraphOptions, generate, generatorGraph } from './generator-graph.ts';
import { Accumulator, Updater } from './optimizer-state.ts';

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
  readonly accumulator: Accumulator | null;
  dispose(): Promise<void>;
}

export async function createDistillPrograms(engine: Engine, shape: DistillShape): Promise<DistillPrograms> {
  const { network, batch, generatorSigma, sigmaData, matching } = shape;
  const { layout } = network;
  const trainsFake = matching !== null && !matching.realOnly;
  const generator = await engine.compile(generatorGraph(shape), { name: 'generator' });
  const generatorUpdater = await Updater.create(engine, layout, 'generator update');
  const fake = trainsFake
    ? await engine.compile(fakeScoreGraph(network, batch, sigmaData), { name: 'fake score' })
    : null;
  const fakeUpdater = trainsFake ? await Updater.create(engine, layout, 'fake score update') : null;
  const fresh = trainsFake && shape.fakeUpdates > 1;
  const generateProgram = fresh
    ? await engine.compile(generateGraph(network, batch, generatorSigma), { name: 'generate' })
    : null;
  const accumulator = shape.accumulation > 1 ? await Accumulator.create(engine, layout) : null;
  const all = [generator, generatorUpdater, fake, fakeUpdater, generateProgram, accumulator];
  return {
    generator,
    generatorUpdater,
    fake,
    fakeUpdater,
    generate: generateProgram,
    accumulator,
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
