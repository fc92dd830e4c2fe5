/** Trains a text-to-image teacher, U-Net and text encoder together: what `dmd teach` runs for `kind: "teach-text"`. */
import type { VpSchedule } from '../diffusion/vp/index.ts';
import type { Engine } from '../engine/engine.ts';
import { inParts } from '../engine/sharing.ts';
import { initialParameters, type ParameterLayout, packParameters, unpackParameters } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';
import { createLossTrainer, type Feeds, type LossTask } from '../training/loss-procedure.ts';
import type { Trainer } from '../training/trainer.ts';
import { joinLayouts } from './joint-layout.ts';
import { type PredictionType, snrWeight, type TextConditioned, textLossGraph, textParts } from './text-loss.ts';

type Updates = Pick<LossTask, 'accumulation' | 'ranks' | 'settings' | 'emas' | 'keepsGradients'>;

export interface TeachTextOptions extends Updates {
  /** Images per program run. */
  readonly batch: number;
  readonly networks: TextConditioned;
  readonly schedule: VpSchedule;
  readonly predictionType: PredictionType;
  readonly seed: number;
  /** Lowest timestep drawn. */
  readonly minTimestep: number;
  /** Probability that an image is shown with the empty prompt. */
  readonly emptyPrompts: number;
  /** Ids [L] of the empty prompt. */
  readonly emptyIds: Float32Array;
  /** As `snrWeight` takes it. */
  readonly minSnrGamma: number;
  /** Weights to begin with, by name in the joint layout; random ones in place of those that are missing. */
  readonly initial: ReadonlyMap<string, TensorData>;
  /** `count` latents [count, C, h, w] with their captions' ids [count, L], a pure function of (step, micro-batch). */
  samples(step: number, micro: number, count: number): { latents: TensorData; ids: TensorData };
}

/** Parameters of both networks, each under its name: `unet.conv_in.weight`. */
export function textLayout({ unet, textEncoder }: TextConditioned): ParameterLayout {
  return joinLayouts({ [textParts.textEncoder]: textEncoder.layout, [textParts.unet]: unet.layout });
}

/** The trainer of `teacher`. */
export function createTextTrainer(engine: Engine, options: TeachTextOptions): Promise<Trainer> {
  const { networks, predictionType, seed, initial, batch, accumulation, ranks, settings, emas, keepsGradients } =
    options;
  const layout = textLayout(networks);
  return createLossTrainer(engine, {
    name: 'teacher',
    layout,
    parameters: startOf(layout, seed, initial),
    ...inParts({ batch }, (part) => textLossGraph(networks, layout, part.batch, predictionType)),
    draws: async (step, micro) => textDraws(options, step, micro),
    ...{ batch, accumulation, ranks, settings, emas, keepsGradients },
  });
}

function startOf(layout: ParameterLayout, seed: number, given: ReadonlyMap<string, TensorData>): Float32Array {
  const drawn = unpackParameters(layout, initialParameters(layout, stream(seed, 'text teacher', 'init')));
  return packParameters(layout, new Map([...drawn, ...given]));
}

/** What the loss is fed in a micro-batch: a pure function of seed, step and micro-batch. */
export function textDraws(options: Omit<TeachTextOptions, keyof Updates>, step: number, micro: number): Feeds {
  const { schedule, predictionType, seed, batch, minTimestep, minSnrGamma, emptyPrompts, emptyIds, networks } = options;
  const random = stream(seed, 'text teacher', 'step', step, micro);
  const timesteps = [...random.randint(minTimestep, schedule.timesteps, batch)];
  const empty = [...random.rand(batch)].map((u) => u < emptyPrompts);
  const { latents, ids } = options.samples(step, micro, batch);
  const shown = ids.data.slice();
  empty.forEach((is, i) => {
    if (is) shown.set(emptyIds, i * emptyIds.length);
  });
  const perSample = (value: (t: number) => number) => ({
    shape: [batch],
    data: Float32Array.from(timesteps, value),
  });
  const { alpha, sigma } = schedule;
  const shape = [batch, ...networks.unet.latentShape];
  return {
    latents,
    noise: { shape, data: random.randn(sizeOf(shape)) },
    ids: { shape: ids.shape, data: shown },
    timestep: perSample((t) => t),
    alpha: perSample(alpha),
    sigma: perSample(sigma),
    weight: perSample((t) => snrWeight(alpha(t), sigma(t), minSnrGamma, predictionType)),
  };
}
