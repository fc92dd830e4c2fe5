/** The noise-image pairs of a distillation: those of a folder the config names, or the run's own, made when it starts. */
import { openPairs, type PairBatch, type PairSet, writePairs } from '../../data/pairs.ts';
import { edmSampler } from '../../diffusion/edm-sampler.ts';
import type { Engine } from '../../engine/engine.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { Teacher } from '../../models/teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import { DenoiseProgram } from '../../sampling/denoise-program.ts';
import { drawLabels, type LabelChoice } from '../../training/draws.ts';
import type { ReferencePairs } from './distill.ts';

/** Images per call of the teacher. */
const samplerBatch = 32;
/** Pairs per file: what a kill costs at most. */
const shardSize = 256;

export interface MakePairsOptions {
  readonly engine: Engine;
  readonly teacher: Teacher;
  readonly count: number;
  readonly seed: number;
  /** Heun steps. */
  readonly steps: number;
  /** Noise level that sampling starts from: the one the generator is called at. */
  readonly sigmaMax: number;
  readonly labels: LabelChoice;
  readonly onProgress: (done: number, count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes what is missing of the pairs in a folder with EDM's deterministic sampler; a pair is a pure function of its
 * index. Throws UserError, 'cancelled' among them; what is finished is kept.
 */
export async function makePairs(folder: string, options: MakePairsOptions): Promise<void> {
  const { engine, teacher, count, seed, steps, sigmaMax, labels, onProgress, signal } = options;
  const { network } = teacher;
  let program: DenoiseProgram | undefined;
  try {
    await writePairs(folder, {
      count,
      shardSize,
      batchSize: samplerBatch,
      seed,
      shape: network.imageShape,
      labelDim: network.labelDim,
      config: { teacher: teacher.sha256, sampler: 'edm', steps, sigmaMax, labels },
      async make(indices) {
        program ??= await DenoiseProgram.create(engine, { network, batch: samplerBatch, weights: teacher.weights });
        return makeBatch(program, options, indices);
      },
      onProgress,
      signal,
    });
  } finally {
    await program?.dispose();
  }
}

/** The program's batch is fixed: a smaller one is filled up with copies of its last pair. */
async function makeBatch(program: DenoiseProgram, options: MakePairsOptions, indices: readonly number[]) {
  const { teacher, seed, steps, sigmaMax, labels, signal } = options;
  const { imageShape, labelDim } = teacher.network;
  const numbers = sizeOf(imageShape);
  const z = new Float32Array(samplerBatch * numbers);
  const classes = new Float32Array(samplerBatch * labelDim);
  for (let row = 0; row < samplerBatch; row++) {
    const index = indices[Math.min(row, indices.length - 1)];
    z.set(stream(seed, 'pairs', index, 'normal').randn(numbers), row * numbers);
    classes.set(drawLabels(seed, ['pairs', index], 1, labelDim, labels).data, row * labelDim);
  }
  const oneHot = { shape: [samplerBatch, labelDim], data: classes };
  const images = await edmSampler(
    (x, sigma) => program.denoise(x, sigma, oneHot),
    z,
    { num_steps: steps, sigma_max: sigmaMax },
    { signal },
    teacher.network,
  );
  const first = (data: Float32Array, shape: readonly number[]): TensorData => ({
    shape: [indices.length, ...shape],
    data: data.slice(0, indices.length * sizeOf(shape)),
  });
  return {
    z: first(z, imageShape),
    y: first(Float32Array.from(images), imageShape),
    labels: first(classes, [labelDim]),
  };
}

/**
 * Opens the pairs that a config names, checked against the teacher, or makes the run's own in `ownFolder`.
 * @throws UserError
 */
export async function openReferencePairs(
  config: DistillConfig,
  ownFolder: string,
  options: Pick<MakePairsOptions, 'engine' | 'teacher' | 'onProgress' | 'signal'>,
): Promise<{ set: PairSet; pairs: ReferencePairs; warning: string }> {
  const { path, count, steps } = config.regression.pairs;
  const { sha256 } = options.teacher;
  const folder = path ?? ownFolder;
  if (path === undefined) {
    const sigmaMax = config.generator.sigma;
    await makePairs(folder, { ...options, count, seed: config.seed, steps, sigmaMax, labels: config.labels });
  }
  const set = await openPairsFor(options.teacher, folder);
  const made = set.config.teacher;
  const foreign = typeof made === 'string' && made !== sha256;
  const warning = foreign ? `the pairs in ${folder} were made by another teacher than ${options.teacher.path}` : '';
  return { set, pairs: referencePairs(set, Math.min(count, set.count), config.seed), warning };
}

/** Opens pairs that fit a teacher. Throws UserError that names the folder and what does not fit. */
export function openPairsFor({ network }: Teacher, folder: string): Promise<PairSet> {
  return openPairs(folder, { shape: [...network.imageShape], labelDim: network.labelDim });
}

/** Batches drawn with replacement, a pure function of seed, step and micro-batch. */
function referencePairs(set: PairSet, count: number, seed: number): ReferencePairs {
  return {
    async batch(step, micro, size) {
      const indices = stream(seed, 'distill', 'pairs', step, micro).randint(0, count, size);
      const batch: PairBatch = await set.batch([...indices]);
      return { z: batch.z, y: batch.y, labels: set.labelDim > 0 ? batch.labels : null };
    },
  };
}
