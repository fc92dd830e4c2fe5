/** Trains a feature network (`metrics/feature-network.ts`) with AdamW and a cosine rate: a pure function of its options. */
import type { Engine } from '../engine/engine.ts';
import { gradients } from '../graph/gradients.ts';
import { Graph } from '../graph/graph.ts';
import { reshape } from '../graph/ops/index.ts';
import { initialParameters, outputGradient, parameterInputs } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import {
  type FeatureKind,
  featureLayout,
  featureLoss,
  featureNetwork,
  imageInput,
} from '../metrics/feature-network.ts';
import { stream } from '../random/stream.ts';
import { averagedWeights, createLossTrainer } from '../training/loss-procedure.ts';
import { emaDecay } from '../training/schedule.ts';

export interface FeatureOptions {
  readonly kind: FeatureKind;
  /** Of the first weights, and of the order of the data. */
  readonly seed: number;
  readonly iterations: number;
  readonly batch: number;
  readonly learningRate: number;
  /** A pure function of the step, from 1 on. */
  readonly draw: (step: number) => Promise<FeatureBatch>;
  readonly signal?: AbortSignal;
}

export interface FeatureBatch {
  readonly images: TensorData;
  /** One-hot [B, classes]. */
  readonly labels: TensorData;
  /** [B, attributes]; left out where there are none. */
  readonly targets?: TensorData;
}

/** Returns the averaged weights by name. `onStep` is told the loss after every step. Throws what `draw` and `signal` do. */
export async function teachFeatures(
  engine: Engine,
  options: FeatureOptions,
  onStep: (step: number, loss: number) => void = () => {},
): Promise<Map<string, TensorData>> {
  const { kind, seed, iterations, batch, learningRate, draw, signal } = options;
  const layout = featureLayout(kind);
  const trainer = await createLossTrainer(engine, {
    ...{ name: 'features', layout, emas: [mostAveraged], graph: lossGraph(kind, batch), batch, accumulation: 1 },
    parameters: initialParameters(layout, stream(seed, 'features', 'init')),
    async draws(step) {
      const { images, labels, targets } = await draw(step);
      return { images, labels, ...(targets ? { targets } : {}) };
    },
    settings: (step) => ({
      learningRate: learningRate * 0.5 * (1 + Math.cos((Math.PI * (step - 1)) / iterations)),
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 10 },
      emaDecays: [emaDecay(mostAveraged, step)],
    }),
  });
  try {
    for (let step = 1; step <= iterations; step++) {
      signal?.throwIfAborted();
      const { scalars } = await trainer.advance();
      onStep(step, scalars['loss/features']!);
    }
    return await averagedWeights(trainer);
  } finally {
    await trainer.dispose();
  }
}

/** Decay of the averaged weights. */
const mostAveraged = 0.99;

function lossGraph(kind: FeatureKind, batch: number): Graph {
  const graph = new Graph();
  const layout = featureLayout(kind);
  const parameters = parameterInputs(graph, 'parameters', layout);
  const labels = graph.input('labels', [batch, kind.classes]);
  const targets = kind.attributes > 0 ? graph.input('targets', [batch, kind.attributes]) : null;
  const loss = featureLoss(featureNetwork(parameters, imageInput(graph, batch, kind), kind), labels, targets);
  graph.output('loss', reshape(loss, [1]));
  outputGradient(layout, gradients(loss, parameters.tensors));
  return graph;
}
