/**
 * The generator's half of an iteration (Algorithm 1, lines 4 to 11) as one graph: generate, scores, gradient,
 * regression, backward. Everything a person may want to look at before the update is an output.
 */
import { gradients, type Seed } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { add, concat, detach, mean, mul, reshape, sliceAxis, square, sub } from '../../graph/ops/index.ts';
import { flatParameters, flatten } from '../../graph/parameters.ts';
import { type Denoiser, labelInput, perSample } from '../../models/denoiser.ts';
import { generate } from '../../models/one-call.ts';
import { type MatchingOutputs, matchingOutputs, outputReport } from './generator-report.ts';
import type { MatchingWeight } from './matching.ts';

/** Distance of two batches of images as a scalar; averaged over the batch. */
export type Distance = (a: Tensor, b: Tensor) => Tensor;

/** Mean squared difference over everything. */
export const l2Distance: Distance = (a, b) => mean(square(sub(a, b)));

export interface GeneratorGraphOptions {
  readonly network: Denoiser;
  /** The frozen network behind mu_real. */
  readonly teacher: Denoiser;
  /** Images generated for distribution matching; also what the fake score is trained on. */
  readonly batch: number;
  /** Noise level at which the generator is called: G(z) = D(sigma z; sigma). 80 for EDM. */
  readonly generatorSigma: number;
  /** Null leaves distribution matching out (an ablation): x is generated but exerts no gradient. */
  readonly matching: { readonly weight: MatchingWeight; readonly realOnly: boolean } | null;
  /** Null leaves the regression out. */
  readonly regression: { readonly batch: number; readonly distance: Distance } | null;
}

/**
 * Inputs: generator [N], teacher [M], fake [N], z [B, ...], labels [B, L], sigma [B], noise [B, ...], and with regression refZ,
 * refLabels, refImages [R, ...], lambda []. Outputs: x, xt, muReal, muFake, grad [B, ...]; report; gradient [N].
 */
export function generatorGraph(options: GeneratorGraphOptions): Graph {
  const { network, batch, regression, generatorSigma } = options;
  const graph = new Graph();
  const image = network.imageShape;
  const generator = flatParameters(network.layout, graph.input('generator', [network.layout.size]));
  const z = graph.input('z', [batch, ...image]);
  const labels = labelInput(graph, 'labels', batch, network);
  const seeds: Seed[] = [];

  const reference = regression && {
    z: graph.input('refZ', [regression.batch, ...image]),
    labels: labelInput(graph, 'refLabels', regression.batch, network),
    images: graph.input('refImages', [regression.batch, ...image]),
    lambda: graph.input('lambda', []),
  };
  // One call for paired and unpaired noise: the same arithmetic, fewer and larger products.
  const together = graph.scope('generate', () => {
    const allZ = reference ? concat([z, reference.z], 0) : z;
    const allLabels = reference?.labels && labels ? concat([labels, reference.labels], 0) : labels;
    return generate(network, generator, allZ, allLabels, generatorSigma);
  });
  const x = reference ? sliceAxis(together, 0, 0, batch) : together;

  const { matching } = options;
  const scores =
    matching && graph.scope('scores', () => matchingPart(graph, { ...options, matching }, detach(x), labels));
  if (scores) seeds.push({ of: x, gradient: scores.imageGradient });

  let lossRegression: Tensor | null = null;
  if (reference && regression) {
    const refX = sliceAxis(together, 0, batch, batch + regression.batch);
    lossRegression = graph.scope('regression', () => regression.distance(refX, reference.images));
    seeds.push({ of: mul(lossRegression, reference.lambda) });
  }

  graph.output('x', x);
  outputReport(graph, scores, lossRegression);
  if (seeds.length > 0) graph.output('gradient', flatten(gradients(seeds, generator.tensors)));
  return graph;
}

export type MatchingOptions = Pick<GeneratorGraphOptions, 'network' | 'teacher'> & {
  readonly matching: NonNullable<GeneratorGraphOptions['matching']>;
};

/**
 * Distribution matching on images x [B, ...]. Declares the inputs sigma, noise, teacher and fake and the outputs xt, muReal,
 * muFake and grad; returns the gradient of the loss on x and the numbers of the report.
 */
export function matchingPart(
  graph: Graph,
  options: MatchingOptions,
  x: Tensor,
  labels: Tensor | null,
): MatchingOutputs {
  const { network, teacher, matching } = options;
  const [batch] = x.shape;
  const sigma = graph.input('sigma', [batch]);
  const noise = graph.input('noise', x.shape);
  const xt = add(x, mul(noise, reshape(sigma, perSample([batch], x.shape.length))));
  // An input like the fake score's parameters: as constants they would be run by other kernels, and where both networks
  // are equal (at the start) their difference would be rounding noise, which Adam turns into full steps, instead of 0.
  const real = flatParameters(teacher.layout, graph.input('teacher', [teacher.layout.size]));
  const muReal = graph.scope('real', () => teacher.denoise(real, xt, sigma, labels));
  const fake = matching.realOnly ? null : flatParameters(network.layout, graph.input('fake', [network.layout.size]));
  const muFake = fake && graph.scope('fake', () => network.denoise(fake, xt, sigma, labels));
  return matchingOutputs(xt, { x, muReal, muFake, alpha: null, sigma, weight: matching.weight });
}
