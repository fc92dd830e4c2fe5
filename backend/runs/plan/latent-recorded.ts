/** What a latent distillation records besides its curves, tried on random weights and prompts. */

import type { Engine } from '../../engine/engine.ts';
import { type GraphCost, graphCost } from '../../graph/cost.ts';
import type { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { DistillTrainer } from '../../methods/dmd/distill.ts';
import type { LatentShape } from '../../methods/dmd/latent/generator-graph.ts';
import { type LatentPreviewOptions, latentPreview, latentPreviewGraphs } from '../../methods/dmd/latent/preview.ts';
import { latentProbe } from '../../methods/dmd/latent/probe.ts';
import { Probe, type ProbeParts } from '../../methods/dmd/probe.ts';
import type { TextTeacher } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { asTried, openPreview, openProbe, type Recorded, randomTensor, randomWeights } from './dry-run.ts';

export interface Tried {
  readonly engine: Engine;
  readonly config: DistillConfig;
  readonly teacher: TextTeacher;
  readonly trainer: DistillTrainer;
}

/** A smaller network is tried with one picture and one noise level. */
export async function recordedOf(
  { engine, config, teacher, trainer }: Tried,
  whole: LatentShape,
  tried: LatentShape,
): Promise<Recorded[]> {
  const { record, seed } = config;
  const fits = tried === whole;
  const few = (asked: number) => (fits ? asked : 1);
  const recorded: Recorded[] = [];
  if (record.probeEvery > 0 && whole.matching !== null) {
    const { levels, count: pictures, seed: probeSeed } = record.probe;
    const parts = (shape: LatentShape, count: number, timesteps: readonly number[]) => {
      const [context, unconditional] = [randomContext(shape, count), randomContext(shape, 1)];
      const options = { seed: probeSeed, timesteps, context, unconditional };
      return latentProbe({ ...shape, matching: whole.matching! }, options);
    };
    const cost = ({ generate, scores, levels: taken }: ProbeParts) => costOfAll([generate, ...taken.map(() => scores)]);
    const small = parts(tried, few(pictures), levels.slice(0, few(levels.length)));
    const size = fits ? asTried : comparedTo(cost(small), cost(parts(whole, pictures, levels)));
    recorded.push({ every: record.probeEvery, ...size, open: () => openProbe(Probe.of(engine, small), trainer) });
  }
  if (record.samplesEvery > 0) {
    const { vae } = teacher.model;
    const decoder = { vae, readWeights: async () => randomWeights(vae.layout) };
    const options = (shape: LatentShape, pictures: number): LatentPreviewOptions => {
      return { shape, seed, decoder, context: randomContext(shape, pictures) };
    };
    const cost = async (of: LatentPreviewOptions) => costOfAll(Object.values(await latentPreviewGraphs(of)));
    const small = options(tried, few(record.samples));
    const size = fits ? asTried : comparedTo(await cost(small), await cost(options(whole, record.samples)));
    recorded.push({
      every: record.samplesEvery,
      ...size,
      open: () => openPreview(latentPreview(engine, small), trainer),
    });
  }
  return recorded;
}

/** Of graphs that run one after the other. */
function costOfAll(graphs: readonly Graph[]): GraphCost {
  const costs = graphs.map(graphCost);
  return {
    flops: costs.reduce((sum, { flops }) => sum + flops, 0),
    peakBytes: Math.max(...costs.map(({ peakBytes }) => peakBytes)),
    constantBytes: costs.reduce((sum, { constantBytes }) => sum + constantBytes, 0),
  };
}

/** Memory cannot be told from something much smaller: weights are held here and by the engine, values once. */
function comparedTo(tried: GraphCost, whole: GraphCost): Pick<Recorded, 'scale' | 'bytes'> {
  return { scale: whole.flops / tried.flops, bytes: 2 * whole.constantBytes + whole.peakBytes };
}

/** Embeddings of as many prompts, [N, L, D]. */
export function randomContext({ network, tokens }: LatentShape, count: number): TensorData {
  return randomTensor([count, tokens, network.contextDim]);
}
