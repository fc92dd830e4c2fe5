/** Trains a teacher with EDM's loss: what `dmd teach` runs for a network of EDM's kinds. */
import type { Engine } from '../engine/engine.ts';
import { inParts } from '../engine/sharing.ts';
import { initialParameters, packParameters } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { Denoiser } from '../models/denoiser.ts';
import { stream } from '../random/stream.ts';
import { createLossTrainer, type Feeds, type LossTask } from '../training/loss-procedure.ts';
import type { Trainer } from '../training/trainer.ts';
import { teacherLossGraph } from './teacher-loss.ts';

export interface TeachOptions
  extends Pick<LossTask, 'batch' | 'accumulation' | 'ranks' | 'settings' | 'emas' | 'keepsGradients'> {
  readonly network: Denoiser;
  readonly seed: number;
  /** Noise levels are log-normal: ln sigma ~ N(meanLogSigma, stdLogSigma^2); EDM: -1.2 and 1.2. */
  readonly meanLogSigma: number;
  readonly stdLogSigma: number;
  readonly sigmaData: number;
  /** Weights to begin with, by parameter name; null: random ones. */
  readonly initial: ReadonlyMap<string, TensorData> | null;
  /** `count` training images with one-hot labels, a pure function of (step, micro-batch). */
  images(step: number, micro: number, count: number): Promise<{ images: TensorData; labels: TensorData | null }>;
}

/** The trainer of `teacher`. */
export function createTeachTrainer(engine: Engine, options: TeachOptions): Promise<Trainer> {
  const { network, seed, batch, accumulation, ranks, sigmaData, initial, settings, emas, keepsGradients } = options;
  const { layout } = network;
  return createLossTrainer(engine, {
    name: 'teacher',
    layout,
    parameters: initial ? packParameters(layout, initial) : initialParameters(layout, stream(seed, 'teach', 'init')),
    ...inParts({ batch }, (part) => teacherLossGraph(network, part.batch, sigmaData)),
    draws: (step, micro) => drawsOf(options, step, micro),
    ...{ batch, accumulation, ranks, settings, emas, keepsGradients },
  });
}

async function drawsOf(options: TeachOptions, step: number, micro: number): Promise<Feeds> {
  const { batch, network, seed, meanLogSigma, stdLogSigma } = options;
  const random = stream(seed, 'teach', 'step', step, micro);
  const sigma = random.randn(batch).map((z) => Math.exp(z * stdLogSigma + meanLogSigma));
  const shape = [batch, ...network.imageShape];
  const { images, labels } = await options.images(step, micro, batch);
  return {
    images,
    ...(network.labelDim > 0 && labels ? { labels } : {}),
    sigma: { shape: [batch], data: sigma },
    noise: { shape, data: random.randn(sizeOf(shape)) },
  };
}
