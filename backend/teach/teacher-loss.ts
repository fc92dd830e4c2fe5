/**
 * EDM's loss for training a teacher from scratch (Karras et al., arXiv 2206.00364, Eq. 8 and Table 1):
 * mean over samples and numbers of lambda(sigma) |D(y + n; sigma) - y|^2, with
 * lambda = (sigma^2 + sigma_data^2) / (sigma sigma_data)^2. The noise levels are drawn by the caller.
 */
import { gradients } from '../graph/gradients.ts';
import { Graph } from '../graph/graph.ts';
import { add, div, mean, mul, reshape, square, sub } from '../graph/ops/index.ts';
import { outputGradient, parameterInputs } from '../graph/parameters.ts';
import { type Denoiser, labelInput } from '../models/denoiser.ts';
import { perSample } from '../models/diffusion-model.ts';

/**
 * Inputs: parameters [N], images [B, ...], labels [B, L] (with classes), sigma [B], noise [B, ...] standard normal.
 * Outputs: loss [1], gradient [N].
 */
export function teacherLossGraph(network: Denoiser, batch: number, sigmaData: number): Graph {
  const graph = new Graph();
  const shape = [batch, ...network.imageShape];
  const parameters = parameterInputs(graph, 'parameters', network.layout);
  const images = graph.input('images', shape);
  const labels = labelInput(graph, 'labels', batch, network);
  const sigma = graph.input('sigma', [batch]);
  const noise = graph.input('noise', shape);
  const level = reshape(sigma, perSample([batch], shape.length));
  const denoised = network.denoise(parameters, add(images, mul(noise, level)), sigma, labels);
  const weight = div(add(square(level), sigmaData ** 2), square(mul(level, sigmaData)));
  const loss = mean(mul(weight, square(sub(denoised, images))));
  graph.output('loss', reshape(loss, [1]));
  outputGradient(network.layout, gradients(loss, parameters.tensors));
  return graph;
}
