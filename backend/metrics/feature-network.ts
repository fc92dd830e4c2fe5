/**
 * The small network whose features carry the Frechet distance on "scenes", where InceptionV3 is not at hand: a
 * convolutional classifier of the shape that also reads off place, size and colours, so that its features notice all
 * of them. Distances in its features are called FD (scenes features) and compare with nothing else.
 */

import type { Graph, Tensor } from '../graph/graph.ts';
import { add, conv2d, crossEntropy, groupNorm, linear, mean, reshape, silu, square, sub } from '../graph/ops/index.ts';
import { collectParameters, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';

export const featureCount = 64;
/** Shape classes and continuous attributes of "scenes" (data/scenes). */
const outputs = { shape: 10, attributes: 9 };
const size = 32;
const widths = [16, 32, 64, 96];

export interface FeatureOutputs {
  /** [B, 64]; what the Frechet distance is taken over. */
  readonly features: Tensor;
  /** [B, 10] */
  readonly logits: Tensor;
  /** [B, 9], each about in [-1, 1]. */
  readonly attributes: Tensor;
}

/** images [B, 3, 32, 32] in [-1, 1]. */
export function featureNetwork(source: ParameterSource, images: Tensor): FeatureOutputs {
  let x = images;
  widths.forEach((width, i) => {
    const [, channels] = x.shape;
    const weight = source.get(`conv${i}.weight`, [width, channels, 3, 3], kaiming(channels * 9));
    x = conv2d(x, weight, null, { stride: i === 0 ? 1 : 2, padding: 1 });
    const gamma = source.get(`norm${i}.weight`, [width], { kind: 'ones' });
    const beta = source.get(`norm${i}.bias`, [width], { kind: 'zeros' });
    x = silu(groupNorm(x, gamma, beta, 8, 1e-5));
  });
  const [batch, channels, height, width] = x.shape;
  const features = dense(source, 'features', reshape(x, [batch, channels * height * width]), featureCount);
  const hidden = silu(features);
  return {
    features,
    logits: dense(source, 'shape', hidden, outputs.shape),
    attributes: dense(source, 'attributes', hidden, outputs.attributes),
  };
}

function dense(source: ParameterSource, name: string, x: Tensor, out: number): Tensor {
  const weight = source.get(`${name}.weight`, [out, x.shape[1]], kaiming(x.shape[1]));
  return linear(x, weight, source.get(`${name}.bias`, [out], { kind: 'zeros' }));
}

const kaiming = (fanIn: number) => ({ kind: 'uniform', bound: Math.sqrt(3 / fanIn) }) as const;

/** The network's parameters. */
export function featureLayout(): ParameterLayout {
  return collectParameters((source) => featureNetwork(source, imageInput(source.graph, 1)));
}

export function imageInput(graph: Graph, batch: number): Tensor {
  return graph.input('images', [batch, 3, size, size]);
}

/** Cross-entropy of the shape plus mean squared error of the attributes; labels one-hot [B, 10], targets [B, 9]. */
export function featureLoss(heads: FeatureOutputs, labels: Tensor, targets: Tensor): Tensor {
  const { logits, attributes } = heads;
  return add(crossEntropy(logits, labels), mean(square(sub(attributes, targets))));
}
