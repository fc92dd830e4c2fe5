/**
 * The fake score's half of a latent iteration: the network's own denoising loss on the generator's latents, without weight.
 * For networks that predict noise this is the paper's plain epsilon MSE; one that predicts v (or the image) is trained on the
 * plain MSE of v (or the image), as its teacher was, since the same loss in epsilon would carry a factor alpha^2 (1/SNR) that
 * leaves the high noise levels all but untrained.
 */
import { gradients } from '../../../graph/gradients.ts';
import { Graph } from '../../../graph/graph.ts';
import { mean, reshape, square, sub } from '../../../graph/ops/index.ts';
import { flatten } from '../../../graph/parameters.ts';
import { noised, predictionTarget, x0FromPrediction } from '../../../models/latent-formulas.ts';
import { type LatentShape, levelInputs, teacherInput, trainedInput } from './generator-graph.ts';

/**
 * Inputs: fake, x [count, C, h, w] (generated, taken as data), context [count, L, D], timestep, alpha, sigma [count], noise
 * [count, C, h, w], and teacher where the fake score is made of adapters.
 * Outputs: report [1], the loss; gradient; denoised [count, C, h, w].
 */
export function latentFakeScoreGraph(shape: LatentShape, count: number): Graph {
  const { network, prediction: type, tokens } = shape;
  const graph = new Graph();
  const latent = [count, ...network.latentShape];
  const fake = trainedInput(graph, 'fake', shape.fake, teacherInput(graph, shape));
  const x = graph.input('x', latent);
  const context = graph.input('context', [count, tokens, network.contextDim]);
  const level = levelInputs(graph, count);
  const noise = graph.input('noise', latent);
  const xt = noised(x, noise, level);
  const prediction = network.predict(fake, xt, level.timestep, context);
  const loss = mean(square(sub(prediction, predictionTarget(type, x, noise, level))));
  graph.output('report', reshape(loss, [1]));
  graph.output('denoised', x0FromPrediction(type, xt, prediction, level));
  graph.output('gradient', flatten(gradients(loss, fake.tensors)));
  return graph;
}
