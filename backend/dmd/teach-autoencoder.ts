/** Trains an autoencoder: what `dmd teach` runs for `kind: "teach-autoencoder"`. */
import type { Engine } from '../engine/engine.ts';
import { initialParameters, packParameters } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';
import {
  type AutoencoderLossWeights,
  autoencoderLossGraph,
  type GaussianAutoencoder,
  latentShapeOf,
} from './autoencoder-loss.ts';
import { type LossTask, LossTrainer } from './loss-trainer.ts';

export interface TeachAutoencoderOptions
  extends Pick<LossTask, 'batch' | 'accumulation' | 'settings' | 'keepsGradients'> {
  readonly network: GaussianAutoencoder;
  /** Pixels per side of the square images. */
  readonly size: number;
  readonly seed: number;
  readonly loss: AutoencoderLossWeights;
  /** Weights to begin with, by parameter name; null: random ones. */
  readonly initial: ReadonlyMap<string, TensorData> | null;
  /** `count` training images [count, C, size, size], a pure function of (step, micro-batch). */
  images(step: number, micro: number, count: number): Promise<TensorData>;
}

/** The trainer of `autoencoder`. */
export function createAutoencoderTrainer(engine: Engine, options: TeachAutoencoderOptions): Promise<LossTrainer> {
  const { network, size, seed, loss, initial, batch, accumulation, settings, keepsGradients } = options;
  const { layout } = network;
  const shape = [batch, ...latentShapeOf(network, size)];
  return LossTrainer.create(engine, {
    name: 'autoencoder',
    layout,
    parameters: initial
      ? packParameters(layout, initial)
      : initialParameters(layout, stream(seed, 'autoencoder', 'init')),
    graph: autoencoderLossGraph(network, size, batch, loss),
    terms: { reconstruction: 'loss/reconstruction', edges: 'loss/edges', kl: 'loss/kl' },
    draws: async (step, micro) => ({
      images: await options.images(step, micro, batch),
      noise: { shape, data: stream(seed, 'autoencoder', 'step', step, micro).randn(sizeOf(shape)) },
    }),
    ...{ batch, accumulation, settings, keepsGradients },
  });
}
