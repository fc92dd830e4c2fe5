/** Trains an autoencoder: what `dmd teach` runs for `kind: "teach-autoencoder"`. */
import type { Engine } from '../engine/engine.ts';
import { inParts } from '../engine/sharing.ts';
import { initialParameters, packParameters } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { type GaussianAutoencoder, latentShapeOf } from '../models/autoencoder.ts';
import { stream } from '../random/stream.ts';
import { createLossTrainer, type Feeds, type LossTask } from '../training/loss-procedure.ts';
import type { Trainer } from '../training/trainer.ts';
import { type AutoencoderLossWeights, type AutoencoderParts, autoencoderLossGraph } from './autoencoder-loss.ts';

export interface TeachAutoencoderOptions
  extends Pick<LossTask, 'batch' | 'accumulation' | 'ranks' | 'settings' | 'emas' | 'keepsGradients'> {
  readonly network: GaussianAutoencoder;
  /** Pixels per side of the square images. */
  readonly size: number;
  readonly seed: number;
  readonly loss: AutoencoderLossWeights;
  readonly trains: AutoencoderParts;
  /** The first `steps` updates see random crops of `size` x `size` pixels of `batch` images; null: no such updates. */
  readonly crops: { readonly size: number; readonly batch: number; readonly steps: number } | null;
  /** Weights to begin with, by parameter name; null: random ones. */
  readonly initial: ReadonlyMap<string, TensorData> | null;
  /** `count` training images [count, C, size, size], a pure function of (step, micro-batch). */
  images(step: number, micro: number, count: number): Promise<TensorData>;
}

/** The trainer of `autoencoder`. */
export function createAutoencoderTrainer(engine: Engine, options: TeachAutoencoderOptions): Promise<Trainer> {
  const {
    network,
    size,
    seed,
    loss,
    trains,
    crops,
    initial,
    batch,
    accumulation,
    ranks,
    settings,
    emas,
    keepsGradients,
  } = options;
  const { layout } = network;
  const graphOf = (of: { readonly size: number; readonly batch: number }) =>
    inParts(of, (part) => autoencoderLossGraph(network, part.size, part.batch, loss, trains));
  return createLossTrainer(engine, {
    name: 'autoencoder',
    layout,
    parameters: initial
      ? packParameters(layout, initial)
      : initialParameters(layout, stream(seed, 'autoencoder', 'init')),
    ...graphOf({ size, batch }),
    early: crops ? { ...graphOf(crops), steps: crops.steps } : undefined,
    terms: { reconstruction: 'loss/reconstruction', edges: 'loss/edges', kl: 'loss/kl' },
    draws: (step, micro) => drawsOf(options, step, micro),
    ...{ batch, accumulation, ranks, settings, emas, keepsGradients },
  });
}

async function drawsOf(options: TeachAutoencoderOptions, step: number, micro: number): Promise<Feeds> {
  const { network, seed, crops } = options;
  const random = stream(seed, 'autoencoder', 'step', step, micro);
  const early = crops !== null && step <= crops.steps;
  const { size, batch } = early ? crops : options;
  const shape = [batch, ...latentShapeOf(network, size)];
  const noise = { shape, data: random.randn(sizeOf(shape)) };
  const images = await options.images(step, micro, batch);
  return { images: early ? cropped(images, size, (most) => random.randint(0, most + 1, 1)[0]) : images, noise };
}

/**
 * A square part of each image [B, C, H, W].
 * @param draw a whole number from 0 to the given one
 */
export function cropped({ shape, data }: TensorData, side: number, draw: (most: number) => number): TensorData {
  const [batch, channels, height, width] = shape;
  const out = new Float32Array(batch * channels * side * side);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    const [top, left] = [draw(height - side), draw(width - side)];
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < side; y++, at += side) {
        const from = ((b * channels + c) * height + top + y) * width + left;
        out.set(data.subarray(from, from + side), at);
      }
    }
  }
  return { shape: [batch, channels, side, side], data: out };
}
