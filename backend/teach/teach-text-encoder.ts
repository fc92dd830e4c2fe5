/** Trains a text encoder beside an image encoder, as CLIP does: what `dmd teach` runs for `kind: "teach-text-encoder"`. */
import type { Engine } from '../engine/engine.ts';
import { initialParameters, type ParameterLayout } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { TextImagePair } from '../nets/text-image-pair.ts';
import { stream } from '../random/stream.ts';
import { createLossTrainer, type LossTask } from '../training/loss-procedure.ts';
import type { Trainer } from '../training/trainer.ts';
import { clipLayout, clipLossGraph, logitScale } from './clip-loss.ts';

/** What the loss is fed, as `clipLossGraph` takes it. */
export type ClipBatch = Readonly<Record<'pixels' | 'ids' | 'end', TensorData>>;

export interface TeachTextEncoderOptions
  extends Pick<LossTask, 'batch' | 'accumulation' | 'ranks' | 'settings' | 'emas' | 'keepsGradients'> {
  readonly model: TextImagePair;
  readonly seed: number;
  /** `count` images with their captions, a pure function of (step, micro-batch). */
  samples(step: number, micro: number, count: number): ClipBatch;
}

/** What similarities are divided by at first (Radford et al., section 2.4). */
const initialTemperature = 0.07;

/** The trainer of `text_encoder`. */
export function createTextEncoderTrainer(engine: Engine, options: TeachTextEncoderOptions): Promise<Trainer> {
  const { model, seed, batch, accumulation, ranks, settings, emas, keepsGradients, samples } = options;
  const layout = clipLayout(model);
  return createLossTrainer(engine, {
    ...{ name: 'text_encoder', layout, parameters: startOf(layout, seed), graph: clipLossGraph(model, layout, batch) },
    terms: { accuracy: 'quality/own text chosen in the batch' },
    draws: async (step, micro) => samples(step, micro, batch),
    ...{ batch, accumulation, ranks, settings, emas, keepsGradients },
  });
}

function startOf(layout: ParameterLayout, seed: number): Float32Array {
  const parameters = initialParameters(layout, stream(seed, 'text encoder', 'init'));
  const { offset } = layout.entries.find(({ name }) => name === logitScale)!;
  parameters[offset] = Math.log(1 / initialTemperature);
  return parameters;
}
