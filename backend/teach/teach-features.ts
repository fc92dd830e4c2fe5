/** Trains the feature network of `metrics/scenes` with AdamW and a cosine rate: a pure function of its options. */

import { attributeCount, sceneAttributes } from '../data/scenes/attributes.ts';
import { sceneBatch } from '../data/scenes/scene.ts';
import { shapes } from '../data/scenes/shapes.ts';
import type { Engine } from '../engine/engine.ts';
import { gradients } from '../graph/gradients.ts';
import { Graph } from '../graph/graph.ts';
import { reshape } from '../graph/ops/index.ts';
import { initialParameters, outputGradient, parameterInputs } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { featureLayout, featureLoss, featureNetwork, imageInput } from '../metrics/feature-network.ts';
import { stream } from '../random/stream.ts';
import { averagedWeights, createLossTrainer } from '../training/loss-procedure.ts';
import { emaDecay } from '../training/schedule.ts';

export interface FeatureOptions {
  readonly seed: number;
  /** Seed of the "scenes" it learns from. */
  readonly dataSeed: number;
  readonly iterations: number;
  readonly batch: number;
  readonly learningRate: number;
}

interface FeatureBatch {
  readonly images: TensorData;
  /** One-hot [B, 10]. */
  readonly labels: TensorData;
  /** [B, 9] */
  readonly targets: TensorData;
  readonly classes: Int32Array;
}

/** The given scenes of data set `seed` with what the network should say of them. */
export function featureBatch(seed: number, indices: readonly number[]): FeatureBatch {
  const { images, classes, parameters } = sceneBatch(seed, indices);
  const count = indices.length;
  const labels = new Float32Array(count * shapes.length);
  const targets = new Float32Array(count * attributeCount);
  parameters.forEach((scene, i) => {
    labels[i * shapes.length + scene.shape] = 1;
    targets.set(sceneAttributes(scene), i * attributeCount);
  });
  return {
    images,
    labels: { shape: [count, shapes.length], data: labels },
    targets: { shape: [count, attributeCount], data: targets },
    classes,
  };
}

/** Returns the averaged weights by name. `onStep` is told the loss after every step. */
export async function teachFeatures(
  engine: Engine,
  options: FeatureOptions,
  onStep: (step: number, loss: number) => void = () => {},
): Promise<Map<string, TensorData>> {
  const { seed, dataSeed, iterations, batch, learningRate } = options;
  const layout = featureLayout();
  const trainer = await createLossTrainer(engine, {
    ...{ name: 'features', layout, emas: [mostAveraged], graph: lossGraph(batch), batch, accumulation: 1 },
    parameters: initialParameters(layout, stream(seed, 'features', 'init')),
    async draws(step) {
      const indices = stream(seed, 'features', 'data', step).randint(0, 2 ** 27, batch);
      const { images, labels, targets } = featureBatch(dataSeed, [...indices]);
      return { images, labels, targets };
    },
    settings: (step) => ({
      learningRate: learningRate * 0.5 * (1 + Math.cos((Math.PI * (step - 1)) / iterations)),
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 10 },
      emaDecays: [emaDecay(mostAveraged, step)],
    }),
  });
  for (let step = 1; step <= iterations; step++) {
    const { scalars } = await trainer.advance();
    onStep(step, scalars['loss/features']!);
  }
  const weights = await averagedWeights(trainer);
  await trainer.dispose();
  return weights;
}

/** Decay of the averaged weights. */
const mostAveraged = 0.99;

function lossGraph(batch: number): Graph {
  const graph = new Graph();
  const layout = featureLayout();
  const parameters = parameterInputs(graph, 'parameters', layout);
  const labels = graph.input('labels', [batch, shapes.length]);
  const targets = graph.input('targets', [batch, attributeCount]);
  const loss = featureLoss(featureNetwork(parameters, imageInput(graph, batch)), labels, targets);
  graph.output('loss', reshape(loss, [1]));
  outputGradient(layout, gradients(loss, parameters.tensors));
  return graph;
}
