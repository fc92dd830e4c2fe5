/** Runs on points: Figure 3's experiment with a generator that begins as a blob, on two modes or on others. */
import { type Mixture, mixtureDenoiser } from '../../backend/data/mixture.ts';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import type { Engine } from '../../backend/engine/engine.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import type { MatchingWeight } from '../../backend/methods/dmd/matching.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { learningRate } from '../../backend/training/schedule.ts';
import { blobGenerator } from '../integration/figure3/experiment.ts';
import { fixedPairs, pointShape, samplerPoints } from '../integration/figure3/pairs.ts';
import type { RecordedRun } from './recorded-run.ts';
import type { Sickness } from './seeds.ts';
import { rateFactor } from './sickness.ts';
import { recordRun } from './train.ts';

export const twoModes: Mixture = {
  modes: [
    [-0.75, 0],
    [0.75, 0],
  ],
  std: 0.1,
};

export const ring: Mixture = {
  modes: Array.from({ length: 5 }, (_, i) => [
    0.8 * Math.cos((2 * Math.PI * i) / 5),
    0.8 * Math.sin((2 * Math.PI * i) / 5),
  ]),
  std: 0.12,
};

const network = createNetwork({
  class: 'EDMPrecond',
  model_type: 'MLP',
  img_resolution: 1,
  img_channels: 2,
  model_channels: 64,
  num_blocks: 2,
});
const batch = 64;
const pairCount = 1024;
const iterations = 400;
/** Iterations in which the generator rests while the fake score learns where it is. */
const rest = 100;

/** Such a sickness shows at once. */
const shortened: ReadonlySet<Sickness> = new Set([
  'gradient not normalised',
  'gradient 100 times too large',
  'one noise level for the batch',
]);

const blobs = new Map<number, ReturnType<typeof blobGenerator>>();

/** Where the generator begins; the same for every run of a seed. */
function blob(engine: Engine, seed: number): ReturnType<typeof blobGenerator> {
  if (!blobs.has(seed)) blobs.set(seed, blobGenerator(engine, seed));
  return blobs.get(seed)!;
}

export interface PointsOptions {
  readonly seed: number;
  readonly sickness: Sickness;
  readonly mixture?: Mixture;
  readonly weight?: MatchingWeight;
}

export async function pointsRun(engine: Engine, options: PointsOptions): Promise<RecordedRun> {
  const { seed, sickness, mixture = twoModes, weight = 'eq8' } = options;
  const z = stream(seed, 'pairs').randn(2 * pairCount);
  const y = await samplerPoints(engine, mixture, z);
  const start = (which: string) =>
    unpackParameters(network.layout, initialParameters(network.layout, stream(seed, 'start', which)));
  const sigmas = karrasSigmas(1000, { sigmaMin: 0.02, sigmaMax: 0.12, rho: 7 });
  const update = (lr: number, warmup: number, step: number, of: number) => ({
    learningRate: rateFactor(sickness) * learningRate({ lr, warmup, decay: 'cosine' }, step, of),
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 10, emaDecays: [0.95] },
  });
  const regresses = sickness !== 'no regression on two modes';
  return recordRun(engine, {
    ...{ iterations: shortened.has(sickness) ? iterations / 2 : iterations, every: 16, sickness },
    reference: { shape: pointShape(128), data: y.slice(0, 256) },
    distillation: {
      ...{
        network,
        teacher: mixtureDenoiser(mixture),
        teacherParameters: new Map(),
        batch,
        generatorSigma: 80,
        sigmas,
      },
      ...{ seed, accumulation: 1, fakeUpdates: 1, emas: [0.95], matching: { weight, realOnly: false } },
      regression: regresses ? { batch, distance: l2Distance } : null,
      pairs: regresses ? fixedPairs(seed, z, y) : null,
      settings: (step) => ({
        generator: update(1e-3, 150, Math.max(0, step - rest), iterations - rest),
        fake: { ...update(6e-3, 0, step, iterations), emaDecays: [] },
        ...{ lambda: 1, firstLevel: 0, lastLevel: sigmas.length - 1 },
      }),
      start: { generator: await blob(engine, seed), fake: start('fake') },
    },
  });
}
