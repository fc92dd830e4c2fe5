/**
 * The small network whose features carry the Frechet distance where InceptionV3 is not at hand, or says little: a convolutional
 * classifier of a data set's own classes. That of "scenes" also reads off place, size and colours, so that its features notice
 * all of them. A distance in its features has the data set in its name, FD (scenes features), and compares with nothing else.
 */

import type { Graph, Tensor } from '../graph/graph.ts';
import { add, conv2d, crossEntropy, groupNorm, linear, mean, reshape, silu, square, sub } from '../graph/ops/index.ts';
import { collectParameters, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';

export const featureCount = 64;

/** What pictures such a network takes, and what it says of them. */
export interface FeatureKind {
  /** [C, H, W]; sides are multiples of 8. */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  /** Continuous attributes, 0 for none. */
  readonly attributes: number;
}

/** Shape classes and continuous attributes of "scenes" (data/scenes). */
export const sceneKind: FeatureKind = { shape: [3, 32, 32], classes: 10, attributes: 9 };

const widths = [16, 32, 64, 96];

export interface FeatureOutputs {
  /** [B, 64]; what the Frechet distance is taken over. */
  readonly features: Tensor;
  /** [B, classes] */
  readonly logits: Tensor;
  /** [B, attributes], each about in [-1, 1]; null where there are none. */
  readonly attributes: Tensor | null;
}

/** images [B, C, H, W] in [-1, 1]. */
export function featureNetwork(source: ParameterSource, images: Tensor, kind: FeatureKind): FeatureOutputs {
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
    logits: dense(source, 'shape', hidden, kind.classes),
    attributes: kind.attributes > 0 ? dense(source, 'attributes', hidden, kind.attributes) : null,
  };
}

function dense(source: ParameterSource, name: string, x: Tensor, out: number): Tensor {
  const weight = source.get(`${name}.weight`, [out, x.shape[1]], kaiming(x.shape[1]));
  return linear(x, weight, source.get(`${name}.bias`, [out], { kind: 'zeros' }));
}

const kaiming = (fanIn: number) => ({ kind: 'uniform', bound: Math.sqrt(3 / fanIn) }) as const;

/** The network's parameters. */
export function featureLayout(kind: FeatureKind): ParameterLayout {
  return collectParameters((source) => featureNetwork(source, imageInput(source.graph, 1, kind), kind));
}

export function imageInput(graph: Graph, batch: number, { shape }: FeatureKind): Tensor {
  return graph.input('images', [batch, ...shape]);
}

/** Cross-entropy of the class plus mean squared error of the attributes; labels one-hot [B, classes], targets [B, attributes]. */
export function featureLoss({ logits, attributes }: FeatureOutputs, labels: Tensor, targets: Tensor | null): Tensor {
  const ofClass = crossEntropy(logits, labels);
  return attributes && targets ? add(ofClass, mean(square(sub(attributes, targets)))) : ofClass;
}
