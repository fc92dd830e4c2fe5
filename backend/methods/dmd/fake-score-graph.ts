/**
 * The fake score's half of an iteration (Algorithm 1, lines 12 to 15): a denoising step on the generator's own images,
 * with the authors' weight 1/sigma^2 + 1/sigma_data^2.
 */
import { gradients } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { add, div, mean, mul, reshape, square, sub } from '../../graph/ops/index.ts';
import { flatParameters, flatten, type ParameterSource } from '../../graph/parameters.ts';
import { type Denoiser, labelInput, perSample } from '../../models/denoiser.ts';

/** What `report` holds. */
export const fakeReport = ['lossFake'] as const;

/**
 * Inputs: fake [N], x [B, ...] (generated, taken as data), labels [B, L], sigma [B], noise [B, ...].
 * Outputs: report [1] = mean(weight |mu_fake(x_t) - x|^2), gradient [N], denoised [B, ...].
 */
export function fakeScoreGraph(network: Denoiser, batch: number, sigmaData: number): Graph {
  const graph = new Graph();
  const shape = [batch, ...network.imageShape];
  const fake = flatParameters(network.layout, graph.input('fake', [network.layout.size]));
  const x = graph.input('x', shape);
  const labels = labelInput(graph, 'labels', batch, network);
  const sigma = graph.input('sigma', [batch]);
  const noise = graph.input('noise', shape);
  const { denoised, loss } = fakeScoreLoss(network, fake, { x, labels, sigma, noise }, sigmaData);
  graph.output('report', reshape(loss, [1]));
  graph.output('denoised', denoised);
  graph.output('gradient', flatten(gradients(loss, fake.tensors)));
  return graph;
}

export interface FakeScoreInputs {
  /** Generated images [B, ...]. */
  readonly x: Tensor;
  readonly labels: Tensor | null;
  /** [B] */
  readonly sigma: Tensor;
  readonly noise: Tensor;
}

/** The loss and what it is made of: noisy images x_t, weights [B, 1, ...], denoised images. */
export function fakeScoreLoss(
  network: Denoiser,
  fake: ParameterSource,
  { x, labels, sigma, noise }: FakeScoreInputs,
  sigmaData: number,
): { xt: Tensor; weight: Tensor; denoised: Tensor; loss: Tensor } {
  const level = reshape(sigma, perSample(sigma.shape, x.shape.length));
  const xt = add(x, mul(noise, level));
  const denoised = network.denoise(fake, xt, sigma, labels);
  const weight = add(div(1, square(level)), 1 / sigmaData ** 2);
  return { xt, weight, denoised, loss: mean(mul(weight, square(sub(denoised, x)))) };
}
