/** The graphs that are handed out: a generator as one call, a teacher as a denoiser, weights inside. */
import { Graph } from '../graph/graph.ts';
import { constantParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { type Denoiser, labelInput } from '../models/denoiser.ts';
import { conditionInputs, generate } from '../models/diffusion-model.ts';
import { edmModel } from '../models/edm-model.ts';

export interface InferenceModel {
  readonly network: Denoiser;
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly role: 'teacher' | 'generator';
  /** Noise level a generator is called at. */
  readonly generatorSigma: number;
  /** Further levels of a few-step generator, which is handed out as a denoiser, since noise comes in between; [] for one step. */
  readonly again?: readonly number[];
}

/**
 * A one-step generator: z [B, ...], labels [B, L] -> image [B, ...]. Others: x [B, ...], sigma [B], labels -> denoised.
 */
export function inferenceGraph(
  { network, weights, role, generatorSigma, again = [] }: InferenceModel,
  batch: number,
): Graph {
  const graph = new Graph();
  const source = constantParameters(graph, weights);
  const shape = [batch, ...network.imageShape];
  if (role === 'generator' && again.length === 0) {
    const z = graph.input('z', shape);
    const model = edmModel(network, { sigmas: [], generatorSigma, sigmaData: 0.5 });
    graph.output('image', generate(model, source, z, conditionInputs(graph, model, batch)));
    return graph;
  }
  const x = graph.input('x', shape);
  const sigma = graph.input('sigma', [batch]);
  graph.output('denoised', network.denoise(source, x, sigma, labelInput(graph, 'labels', batch, network)));
  return graph;
}
