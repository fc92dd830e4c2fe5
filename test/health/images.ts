/** Runs on pictures: 8 x 8 scenes, a small U-Net as teacher (small-scenes.ts) and as everything else. */
import { edmSampler } from '../../backend/diffusion/edm-sampler.ts';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import type { Engine } from '../../backend/engine/engine.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import type { ReferencePairs } from '../../backend/methods/common/pairs.ts';
import type { MatchingWeight } from '../../backend/methods/dmd/matching.ts';
import { loadTeacher } from '../../backend/models/teacher.ts';
import { stream } from '../../backend/random/stream.ts';
import { DenoiseProgram } from '../../backend/sampling/denoise-program.ts';
import { learningRate } from '../../backend/training/schedule.ts';
import type { RecordedRun } from './recorded-run.ts';
import type { Sickness } from './seeds.ts';
import { rateFactor } from './sickness.ts';
import { recordRun } from './train.ts';

const batch = 8;
const iterations = 120;
const [pairCount, steps] = [64, 10];
const pixels = 3 * 8 * 8;

export interface ImagesOptions {
  readonly seed: number;
  readonly sickness: Sickness;
  readonly weight?: MatchingWeight;
}

export async function openImages(engine: Engine, file: string) {
  const { network, weights } = await loadTeacher(file, { network: undefined, recompute: undefined });
  const sigmas = karrasSigmas(1000, { sigmaMin: 0.002, sigmaMax: 80, rho: 7 });
  const none = { shape: [pairCount, 0], data: new Float32Array() };
  const shapeOf = (count: number) => [count, 3, 8, 8];

  async function pairsOf(seed: number): Promise<{ z: Float32Array; y: Float32Array }> {
    const program = await DenoiseProgram.create(engine, { network, batch: pairCount, weights });
    const z = stream(seed, 'pairs').randn(pairCount * pixels);
    const options = { num_steps: steps, sigma_max: 80 };
    const y = await edmSampler((x, sigma) => program.denoise(x, sigma, none), z, options, {}, network);
    await program.dispose();
    return { z, y: Float32Array.from(y) };
  }

  async function run({ seed, sickness, weight = 'eq8' }: ImagesOptions): Promise<RecordedRun> {
    const { z, y } = await pairsOf(seed);
    const pairs: ReferencePairs = {
      async batch(step, micro, count) {
        const chosen = stream(seed, 'chosen pairs', step, micro).randint(0, pairCount, count);
        const gather = (from: Float32Array): TensorData => {
          const data = new Float32Array(count * pixels);
          for (const [i, row] of [...chosen].entries())
            data.set(from.subarray(row * pixels, (row + 1) * pixels), i * pixels);
          return { shape: shapeOf(count), data };
        };
        return { z: gather(z), y: gather(y), conditions: {} };
      },
    };
    const update = (lr: number, step: number, emaDecays: number[]) => ({
      learningRate: rateFactor(sickness) * learningRate({ lr, warmup: 10, decay: 'none' }, step, iterations),
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 10, emaDecays },
    });
    return recordRun(engine, {
      ...{ iterations, every: 8, sickness, reference: { shape: shapeOf(32), data: y.slice(0, 32 * pixels) } },
      distillation: {
        ...{ network, teacherParameters: weights, batch, generatorSigma: 80, sigmas },
        ...{ seed, accumulation: 1, fakeUpdates: 1, emas: [0.95], pairs },
        ...{ matching: { weight, realOnly: false }, regression: { batch, distance: l2Distance } },
        settings: (step) => ({
          generator: update(5e-4, step, [0.95]),
          fake: update(1e-3, step, []),
          ...{ lambda: 5, firstLevel: 20, lastLevel: 980 },
        }),
        start: { generator: weights, fake: weights },
      },
    });
  }
  return { run };
}
