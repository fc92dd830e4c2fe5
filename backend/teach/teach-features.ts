/** Trains the feature network of `metrics/scenes` with AdamW and a cosine rate: a pure function of its options. */

import { attributeCount, sceneAttributes } from '../data/scenes/attributes.ts';
import { sceneBatch } from '../data/scenes/scene.ts';
import { shapes } from '../data/scenes/shapes.ts';
import type { Engine } from '../engine/engine.ts';
import { gradients } from '../graph/gradients.ts';
import { Graph } from '../graph/graph.ts';
import { reshape } from '../graph/ops/index.ts';
import { flatParameters, flatten, initialParameters, unpackParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { featureLayout, featureLoss, featureNetwork, imageInput } from '../metrics/feature-network.ts';
import { stream } from '../random/stream.ts';
import { disposeState, freshState, Updater } from '../training/optimizer-state.ts';

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
  const program = await engine.compile(lossGraph(batch), { name: 'feature loss' });
  const updater = await Updater.create(engine, layout, 'feature update');
  let state = freshState(engine, initialParameters(layout, stream(seed, 'features', 'init')));
  for (let step = 1; step <= iterations; step++) {
    const indices = stream(seed, 'features', 'data', step).randint(0, 2 ** 27, batch);
    const { images, labels, targets } = featureBatch(dataSeed, [...indices]);
    const results = await program.run({ parameters: state.parameters, images, labels, targets });
    const rate = learningRate * 0.5 * (1 + Math.cos((Math.PI * (step - 1)) / iterations));
    const settings = { learningRate: rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 10 };
    const emaDecay = Math.min(0.99, (1 + step) / (10 + step));
    const next = await updater.run(state, results.gradient, { ...settings, emaDecay }, step);
    onStep(step, (await results.loss.read())[0]);
    results.gradient.dispose();
    results.loss.dispose();
    disposeState(state);
    state = next.state;
  }
  const weights = unpackParameters(layout, (await state.ema.read()).slice());
  disposeState(state);
  await program.dispose();
  await updater.dispose();
  return weights;
}

function lossGraph(batch: number): Graph {
  const graph = new Graph();
  const layout = featureLayout();
  const parameters = flatParameters(layout, graph.input('parameters', [layout.size]));
  const labels = graph.input('labels', [batch, shapes.length]);
  const targets = graph.input('targets', [batch, attributeCount]);
  const loss = featureLoss(featureNetwork(parameters, imageInput(graph, batch)), labels, targets);
  graph.output('loss', reshape(loss, [1]));
  graph.output('gradient', flatten(gradients(loss, parameters.tensors)));
  return graph;
}
