/** A few iterations of an EDM teacher's distillation on random weights. The teacher's file is read, for it says which network it is. */

import { karrasSigmas } from '../../diffusion/karras.ts';
import type { Engine } from '../../engine/engine.ts';
import { graphCost } from '../../graph/cost.ts';
import { Graph } from '../../graph/graph.ts';
import { flatParameters } from '../../graph/parameters.ts';
import { DistillTrainer } from '../../methods/dmd/distill.ts';
import { probeOptions } from '../../methods/dmd/distill-probe.ts';
import { fakeScoreGraph } from '../../methods/dmd/fake-score-graph.ts';
import { type GeneratorGraphOptions, generatorGraph } from '../../methods/dmd/generator-graph.ts';
import { GeneratorPreview } from '../../methods/dmd/generator-preview.ts';
import { Probe } from '../../methods/dmd/probe.ts';
import { openDistance } from '../../methods/dmd/regression-distance.ts';
import { distillSettings } from '../../methods/dmd/settings.ts';
import { loadTeacher } from '../../models/teacher.ts';
import type { Network } from '../../nets/index.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import {
  asTried,
  type DryRun,
  microCost,
  openPreview,
  openProbe,
  type Recorded,
  randomTensor,
  randomWeights,
} from './dry-run.ts';

export async function edmDryRun(engine: Engine, config: DistillConfig): Promise<DryRun> {
  const teacher = await loadTeacher(config.teacher);
  const { network } = teacher;
  const { batch, matching, regression, generator, fake, record } = config;
  const { distance } = await openDistance(config, teacher);
  const pairBatch = regression.batch ?? batch;
  const shape: GeneratorGraphOptions = {
    ...{ network, teacher: network, batch, generatorSigma: generator.sigma },
    matching: matching.enabled ? { weight: matching.weight, realOnly: matching.realOnly } : null,
    regression: regression.enabled ? { batch: pairBatch, distance } : null,
  };
  const sigmaData = 'sigma_data' in network.config ? network.config.sigma_data : 0.5;
  const trainsFake = matching.enabled && !matching.realOnly;
  const cost = microCost(
    {
      generator: generatorGraph(shape),
      fake: trainsFake ? fakeScoreGraph(network, batch, sigmaData) : null,
      fakeUpdates: fake.updatesPerStep,
    },
    { generator: network.layout, fake: network.layout, teacher: matching.enabled ? network.layout : null },
    4,
  );
  const weights = randomWeights(network.layout);
  const { sigmaMin, sigmaMax, rho, count } = matching.levels;
  const images = (size: number) => randomTensor([size, ...network.imageShape]);
  const trainer = await DistillTrainer.create(
    engine,
    {
      ...shape,
      ...{ sigmaData, teacherParameters: weights, accumulation: 1, seed: 0, fakeUpdates: fake.updatesPerStep },
      levels: karrasSigmas(count, { sigmaMin, sigmaMax, rho }),
      pairs: {
        batch: async (_step, _micro, size) => ({
          ...{ z: images(size), y: images(size) },
          labels: network.labelDim > 0 ? randomTensor([size, network.labelDim]) : null,
        }),
      },
      settings: distillSettings(config),
    },
    { generator: weights, fake: weights },
  );
  const { size } = network.layout;
  const recorded: Recorded[] = [];
  if (matching.enabled && record.probeEvery > 0) {
    const open = () => openProbe(Probe.create(engine, probeOptions(config, network)), trainer);
    recorded.push({ every: record.probeEvery, ...asTried, open });
  }
  if (record.samplesEvery > 0) {
    const open = () => openPreview(GeneratorPreview.create(engine, config, network), trainer);
    recorded.push({ every: record.samplesEvery, ...asTried, open });
  }
  const makes = regression.enabled && regression.pairs.path === undefined;
  return {
    trainer,
    parameters: { network: size, generator: size, fake: size },
    imagesPerMicro: batch,
    ...{ whole: cost, part: cost, recorded },
    // Heun's method calls the network twice a step, but once in the last.
    pairs: makes
      ? { count: regression.pairs.count, flopsPerPair: (2 * regression.pairs.steps - 1) * callFlops(network) }
      : null,
  };
}

function callFlops(network: Network): number {
  const graph = new Graph();
  const source = flatParameters(network.layout, graph.input('parameters', [network.layout.size]));
  const labels = network.labelDim > 0 ? graph.input('labels', [1, network.labelDim]) : null;
  network.denoise(source, graph.input('x', [1, ...network.imageShape]), graph.input('sigma', [1]), labels);
  return graphCost(graph).flops;
}
