/** The probe of a latent distillation: fixed noise, fixed prompts and a ladder of timesteps. */
import { Graph } from '../../../graph/graph.ts';
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import { stream } from '../../../random/stream.ts';
import type { ProbeParts } from '../probe.ts';
import { isGuided, type LatentMatching, latentGenerateGraph, latentMatching, teacherInput } from './generator-graph.ts';
import { levelFeeds } from './method.ts';

export interface LatentProbeOptions {
  readonly seed: number;
  /** In the order they are recorded. */
  readonly timesteps: readonly number[];
  /** Of the prompts, one per image, [N, L, D]. */
  readonly context: TensorData;
  /** [1, L, D]. */
  readonly unconditional: TensorData;
}

/** Recorded are z, timestep, alpha and sigma [L] beside the fields. */
export function latentProbe(shape: LatentMatching, options: LatentProbeOptions): ProbeParts {
  const { seed, timesteps, context, unconditional } = options;
  const [count] = context.shape;
  const latent = [count, ...shape.network.latentShape];
  const normal = (what: string) => ({ shape: latent, data: stream(seed, 'probe', what).randn(sizeOf(latent)) });
  const [z, noise] = [normal('z'), normal('noise')];
  const ladder = (of: (t: number) => number) => ({
    shape: [timesteps.length],
    data: Float32Array.from(timesteps, of),
  });
  return {
    generate: latentGenerateGraph(shape, count),
    scores: scoresGraph(shape, count),
    inputs: { z, noise, context, ...(isGuided(shape) ? { unconditional } : {}) },
    levels: timesteps.map((t) => levelFeeds(shape.schedule, { timesteps: Array(count).fill(t), noise })),
    recorded: {
      z,
      timestep: ladder((t) => t),
      alpha: ladder(shape.schedule.alpha),
      sigma: ladder(shape.schedule.sigma),
    },
  };
}

function scoresGraph(shape: LatentMatching, count: number): Graph {
  const graph = new Graph();
  const x = graph.input('x', [count, ...shape.network.latentShape]);
  const context = graph.input('context', [count, shape.tokens, shape.network.contextDim]);
  latentMatching(graph, shape, x, context, teacherInput(graph, shape));
  return graph;
}
