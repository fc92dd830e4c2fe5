/**
 * Figure 3 of the DMD paper (arXiv 2311.18828) on a mixture of two Gaussians: a generator that starts as one blob beside
 * the nearer mode, trained by the real score alone, by real minus fake, and with regression on noise-image pairs as
 * well. The teacher is the mixture's exact denoiser; everything else is what `dmd distill` runs.
 */
import { type Mixture, mixtureDenoiser } from '../../../backend/data/mixture.ts';
import { karrasSigmas } from '../../../backend/diffusion/karras.ts';
import type { Engine } from '../../../backend/engine/engine.ts';
import { initialParameters, packParameters, unpackParameters } from '../../../backend/graph/parameters.ts';
import type { TensorData } from '../../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../../backend/methods/common/distance.ts';
import type { ReferencePairs } from '../../../backend/methods/common/pairs.ts';
import { generateGraph } from '../../../backend/methods/dmd/graphs.ts';
import type { DmdOptions } from '../../../backend/methods/dmd/procedure.ts';
import { createNetwork } from '../../../backend/nets/index.ts';
import { stream } from '../../../backend/random/stream.ts';
import { learningRate } from '../../../backend/training/schedule.ts';
import type { UpdateSettings } from '../../../backend/training/update-graph.ts';
import { edmDistillation, edmShape } from '../../unit/training/edm-distillation.ts';
import { fixedPairs, pointShape } from './pairs.ts';

/** Two modes, each seven and a half standard deviations from the middle between them. */
export const mixture: Mixture = {
  modes: [
    [-0.75, 0],
    [0.75, 0],
  ],
  std: 0.1,
};
/** Where the generator starts: 0.64 from the left mode, 1.14 from the right one, and half as wide as a mode. */
export const blob = { centre: [-0.3, 0.45], std: 0.05 };
/**
 * Noise at most 0.12: the modes blurred by it have std 0.16 and the middle is 4.8 of these away, so a sample learns of its
 * own mode only. At 80, as for images, both modes are one and every variant finds both.
 */
export const limitedSigma = 0.12;

export const cases = ['real score alone', 'real minus fake', 'with regression'] as const;
export type Case = (typeof cases)[number];
export type Weights = ReadonlyMap<string, TensorData>;

const teacher = mixtureDenoiser(mixture);
const network = createNetwork({
  class: 'EDMPrecond',
  model_type: 'MLP',
  img_resolution: 1,
  img_channels: 2,
  model_channels: 64,
  num_blocks: 2,
});
/** The generator is called as EDM's: D(80 z; 80). */
const generatorSigma = 80;
const batch = 64;
const sigmaMin = 0.02;
const pairCount = 1024;
/** Iterations that make the blob; that teach the fake score the blob, the generator resting; that distill. */
const iterations = { blob: 200, rest: 100, distill: 1400 };
/** Iterations over which the generator's rate rises: a blob that sets out too fast leaves its fake score behind. */
const warmup = 200;
/** The fake score must keep up with the generator, so it learns faster. */
const rates = { blob: 2e-3, generator: 1e-3, fake: 6e-3 };
/**
 * Eq. 8 makes the matching gradient about 1 per number, at most 2 where all of it is along one axis; that of the
 * regression is 2 lambda (x - y). With 1, a pair in the wrong mode, 1.5 away, outweighs the matching.
 */
const lambda = 1;

/** The weights of a generator that makes the blob, by the regression half of the same trainer. */
export function blobGenerator(engine: Engine, seed: number): Promise<Weights> {
  const z = stream(seed, 'blob').randn(2 * 4096);
  const y = z.map((value, i) => blob.centre[i % 2] + blob.std * value);
  return train(engine, {
    seed,
    matching: null,
    pairs: fixedPairs(seed, z, y),
    generator: untrained(seed, 'generator'),
    iterations: iterations.blob,
    rest: 0,
    rate: rates.blob,
    warmup: 1,
    sigmaMax: limitedSigma,
  });
}

/** The noise of the pairs, flat [1024, 2]. */
export function teacherNoise(seed: number): Float32Array {
  return stream(seed, 'pairs').randn(2 * pairCount);
}

export interface Distillation {
  readonly seed: number;
  readonly case: Case;
  /** Weights to start from. */
  readonly generator: Weights;
  /** From the teacher's sampler; only the case with regression reads them. */
  readonly pairs: ReferencePairs;
  /** Greatest noise level of the matching and of the fake score. */
  readonly sigmaMax?: number;
}

/** The averaged weights of the generator after its distillation. */
export function distill(engine: Engine, options: Distillation): Promise<Weights> {
  const { seed, generator, pairs, sigmaMax = limitedSigma } = options;
  return train(engine, {
    seed,
    matching: { weight: 'eq8', realOnly: options.case === 'real score alone' },
    pairs: options.case === 'with regression' ? pairs : null,
    generator,
    iterations: iterations.rest + iterations.distill,
    rest: iterations.rest,
    rate: rates.generator,
    warmup,
    sigmaMax,
  });
}

interface Training extends Pick<DmdOptions, 'seed' | 'matching' | 'pairs'> {
  readonly generator: Weights;
  readonly iterations: number;
  /** Iterations at the start in which the generator stays as it is. */
  readonly rest: number;
  /** Learning rate of the generator, rising over `warmup` iterations (at least 1) and decaying to 0. */
  readonly rate: number;
  readonly warmup: number;
  readonly sigmaMax: number;
}

async function train(engine: Engine, training: Training): Promise<Weights> {
  const { seed, matching, pairs, rest } = training;
  const levels = karrasSigmas(1000, { sigmaMin, sigmaMax: training.sigmaMax, rho: 7 });
  const update = (lr: number, warmup: number, step: number, of: number): UpdateSettings => ({
    learningRate: learningRate({ lr, warmup, decay: 'cosine' }, step, of),
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    clip: 10,
    emaDecays: [0.95],
  });
  const { trainer, procedure } = await edmDistillation(engine, {
    ...{ network, teacher, teacherParameters: new Map(), batch, generatorSigma, sigmas: levels },
    ...{ seed, matching, pairs, accumulation: 1, fakeUpdates: 1, emas: [0.95] },
    regression: pairs && { batch, distance: l2Distance },
    settings: (step) => ({
      generator: update(training.rate, training.warmup, Math.max(0, step - rest), training.iterations - rest),
      fake: { ...update(rates.fake, 0, step, training.iterations), emaDecays: [] },
      lambda,
      firstLevel: 0,
      lastLevel: levels.length - 1,
    }),
    start: { generator: training.generator, fake: untrained(seed, 'fake') },
  });
  try {
    for (let step = 0; step < training.iterations; step++) await trainer.advance();
    return await procedure.generatorWeights();
  } finally {
    await trainer.dispose();
  }
}

function untrained(seed: number, which: string): Weights {
  return unpackParameters(network.layout, initialParameters(network.layout, stream(seed, 'start', which)));
}

/** What a generator makes of `count` fresh latents, flat [count, 2]. */
export async function samplePoints(engine: Engine, weights: Weights, seed: number, count: number) {
  const program = await engine.compile(
    generateGraph(edmShape({ network, generatorSigma, batch, matching: null, regression: null }), count),
  );
  const { x } = await program.run({
    generator: { shape: [network.layout.size], data: packParameters(network.layout, weights) },
    z: { shape: pointShape(count), data: stream(seed, 'sample').randn(2 * count) },
  });
  const points = (await x.read()).slice();
  x.dispose();
  await program.dispose();
  return points;
}
