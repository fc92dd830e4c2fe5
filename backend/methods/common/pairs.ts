/** The noise-image pairs of a distillation: those of a folder the config names, or the run's own, made when it starts. */
import type { PairManifest } from '../../data/pair-manifest.ts';
import { type PairSet, type PairWork, writePairs } from '../../data/pairs.ts';
import type { Engine } from '../../engine/engine.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { ConditionSource, HostTensors, OpenConditions } from '../../models/conditions.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import { alone, type MicroBatches, microBatchesOf, type Ranks } from '../../ranks/ranks.ts';
import { heldInMemory } from './held-pairs.ts';
import { ownPairs } from './own-pairs.ts';
import { followBatches, leadBatches, type Sharing } from './shared-pairs.ts';

/** Pairs per file: what a kill costs at most. */
const shardSize = 256;

/** How a family's deterministic sampler makes its pairs. */
export interface PairMaking {
  /** Everything they depend on but seed, count and shape, as the folder's manifest keeps it. */
  readonly made: PairManifest['config'];
  /** Shape of a sample. */
  readonly shape: readonly number[];
  /** Numbers per pair that say what it is of. */
  readonly labelDim: number;
  /** Samples per call of the network. */
  readonly batch: number;
  /** Calls of the network for a sample, guided ones twice. */
  readonly calls: number;
  /** What their numbers refer to, as small files beside the pairs. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Opens pairs that fit. Throws UserError that names the folder and what does not fit. */
  open(folder: string): Promise<OpenPairs>;
  sampler(engine: Engine): Promise<PairSampler>;
}

export interface OpenPairs {
  readonly set: PairSet;
  /** That the pairs' rows are numbers of; null where they are classes. */
  readonly prompts: readonly string[] | null;
}

/** The teacher's deterministic sampler from noise z [batch, ...], flat, for conditions as the model takes them. */
export interface PairSampler {
  sample(z: Float32Array, conditions: HostTensors, signal: AbortSignal): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export interface MakePairsOptions {
  readonly engine: Engine;
  readonly pairs: PairMaking;
  readonly conditions: ConditionSource;
  readonly count: number;
  readonly seed: number;
  readonly onProgress: (done: number, count: number) => void;
  readonly signal: AbortSignal;
  /** That make them together, each with a teacher of its own. Left out, this process alone. */
  readonly ranks?: Ranks | undefined;
}

/** Which pairs they are, for their folder. */
export function pairWork(
  { made, shape, labelDim, batch, texts = {} }: PairMaking,
  count: number,
  seed: number,
): PairWork {
  return { count, shardSize, batchSize: batch, seed, shape, labelDim, config: made, texts };
}

/**
 * Makes what is missing of the pairs in a folder; a pair is a pure function of its index. Throws UserError, 'cancelled' among
 * them; what is finished is kept.
 */
export async function makePairs(folder: string, options: MakePairsOptions): Promise<{ made: number }> {
  const { pairs, count, seed, onProgress, signal } = options;
  return withSharing(options, async (sharing) => {
    const { plan, make, end } = leadBatches(sharing);
    try {
      return await writePairs(folder, { ...pairWork(pairs, count, seed), onProgress, signal, onPlan: plan, make });
    } finally {
      await end();
    }
  });
}

/** Makes this rank's share of what the leader makes with `makePairs`; the folder is the leader's. */
export function helpMakePairs(options: MakePairsOptions): Promise<void> {
  return withSharing(options, followBatches);
}

async function withSharing<T>(options: MakePairsOptions, work: (sharing: Sharing) => Promise<T>): Promise<T> {
  const { engine, pairs, conditions, ranks = alone } = options;
  let sampler: Promise<PairSampler> | undefined;
  const make = async (indices: readonly number[]) => {
    sampler ??= pairs.sampler(engine);
    return makeBatch(await sampler, options, indices);
  };
  try {
    return await work({ ranks, shape: pairs.shape, labelDim: conditions.width, make });
  } finally {
    await (await sampler)?.dispose();
  }
}

/** The program's batch is fixed: a smaller one is filled up with copies of its last pair. */
async function makeBatch(sampler: PairSampler, options: MakePairsOptions, indices: readonly number[]) {
  const { pairs, conditions, seed, signal } = options;
  const { shape, batch } = pairs;
  const [numbers, { width }] = [sizeOf(shape), conditions];
  const z = new Float32Array(batch * numbers);
  const rows = { shape: [batch, width], data: new Float32Array(batch * width) };
  for (let row = 0; row < batch; row++) {
    const index = indices[Math.min(row, indices.length - 1)]!;
    z.set(stream(seed, 'pairs', index, 'normal').randn(numbers), row * numbers);
    rows.data.set(conditions.draw(seed, ['pairs', index], 1).data, row * width);
  }
  const y = await sampler.sample(z, await conditions.feeds(rows), signal);
  const first = (data: Float32Array, of: readonly number[]): TensorData => ({
    shape: [indices.length, ...of],
    data: data.slice(0, indices.length * sizeOf(of)),
  });
  return { z: first(z, shape), y: first(y, shape), labels: first(rows.data, [width]) };
}

/** Noise, the teacher's samples for it, and what they are of: pure in (step, micro-batch). */
export interface ReferencePairs {
  batch(
    step: number,
    micro: number,
    count: number,
  ): Promise<{ readonly z: TensorData; readonly y: TensorData; readonly conditions: HostTensors }>;
}

/**
 * Opens the pairs that a config names, checked against the teacher, or makes the run's own in `ownFolder`.
 * @throws UserError
 */
export async function openReferencePairs(
  { regression, seed, accumulation }: DistillConfig,
  ownFolder: string,
  teacher: { readonly path: string; readonly sha256: string; readonly pairs: PairMaking },
  conditions: OpenConditions,
  {
    ranks = alone,
    ...options
  }: Pick<MakePairsOptions, 'engine' | 'onProgress' | 'signal'> & { ranks?: Ranks | undefined },
): Promise<{ pairs: ReferencePairs; warning: string }> {
  const { path, count } = regression.pairs;
  const folder = path ?? ownFolder;
  const own = { ...options, pairs: teacher.pairs, conditions: conditions.source, count, seed, ranks };
  let kept = '';
  if (path === undefined && ranks.rank === 0) kept = await ownPairs(() => makePairs(folder, own));
  else if (path === undefined) await helpMakePairs(own);
  await ranks.agree(0); // the others read what the leader has written
  const { set, prompts } = await teacher.pairs.open(folder);
  const foreign = typeof set.config.teacher === 'string' && set.config.teacher !== teacher.sha256;
  const warning = kept || !foreign ? kept : `the pairs in ${folder} were made by another teacher than ${teacher.path}`;
  return {
    pairs: drawnPairs(set, conditions.ofPairs(prompts), Math.min(count, set.count), {
      ...microBatchesOf(ranks, accumulation),
      seed,
    }),
    warning,
  };
}

/**
 * Batches drawn with replacement, a pure function of seed, step and micro-batch. The next one is read from the disk while the device
 * works on this one.
 */
function drawnPairs(
  set: PairSet,
  conditions: ConditionSource,
  count: number,
  { seed, first, count: micros }: Pick<DistillConfig, 'seed'> & MicroBatches,
): ReferencePairs {
  const pairs = heldInMemory(set, count);
  let ahead = { key: '', rows: pairs.batch([]) };
  const read = (step: number, micro: number, size: number) => {
    const key = [step, micro, size].join();
    if (ahead.key === key) return ahead.rows;
    const rows = pairs.batch([...stream(seed, 'distill', 'pairs', step, micro).randint(0, count, size)]);
    ahead = { key, rows };
    return rows;
  };
  return {
    async batch(step, micro, size) {
      const { z, y, labels } = await read(step, micro, size);
      const next = micro + 1 < first + micros ? read(step, micro + 1, size) : read(step + 1, first, size);
      // A fault is told to whoever asks for that batch.
      next.catch(() => {});
      return { z, y, conditions: await conditions.feeds(labels) };
    },
  };
}
