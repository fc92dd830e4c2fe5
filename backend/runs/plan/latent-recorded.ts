/** What a latent distillation records besides its curves, tried on random weights and prompts. */
import type { DistillTrainer } from '../../dmd/distill.ts';
import type { LatentShape } from '../../dmd/latent/generator-graph.ts';
import { latentProbe } from '../../dmd/latent/probe.ts';
import { Probe, type ProbeParts } from '../../dmd/probe.ts';
import type { Engine } from '../../engine/engine.ts';
import { type GraphCost, graphCost } from '../../graph/cost.ts';
import type { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { type LatentPreviewOptions, latentPreview, latentPreviewGraphs } from '../training/latent/preview.ts';
import type { TextTeacher } from '../training/latent/teacher.ts';
import { openPreview, openProbe, type Recorded, randomTensor, randomWeights } from './dry-run.ts';

export interface Tried {
  readonly engine: Engine;
  readonly config: DistillConfig;
  readonly teacher: TextTeacher;
  readonly trainer: DistillTrainer;
}

/** A smaller network is tried with one picture. */
export async function recordedOf(
  { engine, config, teacher, trainer }: Tried,
  whole: LatentShape,
  tried: LatentShape,
): Promise<Recorded[]> {
  const { record, seed } = config;
  const count = (asked: number) => (tried === whole ? asked : 1);
  const recorded: Recorded[] = [];
  if (record.probeEvery > 0 && whole.matching !== null) {
    const parts = (shape: LatentShape, pictures: number) => {
      const [context, unconditional] = [randomContext(shape, pictures), randomContext(shape, 1)];
      const options = { seed: record.probe.seed, timesteps: record.probe.levels, context, unconditional };
      return latentProbe({ ...shape, matching: whole.matching! }, options);
    };
    const cost = ({ generate, scores, levels }: ProbeParts) => costOfAll([generate, ...levels.map(() => scores)]);
    const small = parts(tried, count(record.probe.count));
    const scale = scaleOf(cost(parts(whole, record.probe.count)), cost(small));
    recorded.push({ every: record.probeEvery, ...scale, open: () => openProbe(Probe.of(engine, small), trainer) });
  }
  if (record.samplesEvery > 0) {
    const { vae } = teacher.model;
    const decoder = { vae, readWeights: async () => randomWeights(vae.layout) };
    const options = (shape: LatentShape, pictures: number): LatentPreviewOptions => {
      return { shape, seed, decoder, context: randomContext(shape, pictures) };
    };
    const cost = async (of: LatentPreviewOptions) => costOfAll(Object.values(await latentPreviewGraphs(of)));
    const small = options(tried, count(record.samples));
    const scale = scaleOf(await cost(options(whole, record.samples)), await cost(small));
    recorded.push({
      every: record.samplesEvery,
      ...scale,
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

const scaleOf = (whole: GraphCost, tried: GraphCost): Pick<Recorded, 'scale' | 'constantBytes'> => ({
  scale: { flops: whole.flops / tried.flops, peakBytes: whole.peakBytes / tried.peakBytes },
  constantBytes: tried.constantBytes,
});

/** Embeddings of as many prompts, [N, L, D]. */
export function randomContext({ network, tokens }: LatentShape, count: number): TensorData {
  return randomTensor([count, tokens, network.contextDim]);
}
