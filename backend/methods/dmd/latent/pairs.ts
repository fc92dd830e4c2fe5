/**
 * Noise-latent pairs of a text-to-image teacher: PNDM with guidance (the paper: 50 steps at 3), in the shards of data/pairs.ts.
 * A pair's label is the number of its prompt in the folder's own prompts.txt, whose hash is in the manifest.
 */
import path from 'node:path';
import { openPairs, type PairSet, writePairs } from '../../../data/pairs.ts';
import { guideDoubled, needsGuidance } from '../../../diffusion/vp/index.ts';
import type { Engine } from '../../../engine/engine.ts';
import { writeFileAtomic } from '../../../files/atomic.ts';
import { makeFolder } from '../../../files/folders.ts';
import type { Graph } from '../../../graph/graph.ts';
import type { ParameterSource } from '../../../graph/parameters.ts';
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import { NetworkProgram } from '../../../models/text/network-program.ts';
import type { TextTeacher } from '../../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../../protocol/config/index.ts';
import { UserError } from '../../../protocol/errors.ts';
import { stream } from '../../../random/stream.ts';
import { readText } from '../../../weights/diffusers/index.ts';
import type { TextEmbeddings } from './embeddings.ts';
import type { LatentPairs } from './method.ts';
import { type PromptList, promptList } from './prompts.ts';

/** Latents per call of the teacher, twice that with guidance. */
const samplerBatch = 16;
/** Pairs per file: what a kill costs at most. */
const shardSize = 256;
const promptsFile = 'prompts.txt';

export interface MakeTextPairsOptions {
  readonly engine: Engine;
  readonly teacher: TextTeacher;
  /** Of the teacher's UNet. */
  readonly sha256: string;
  readonly embeddings: TextEmbeddings;
  readonly prompts: PromptList;
  readonly count: number;
  readonly seed: number;
  /** Steps of PNDM, which calls the network once more than that. */
  readonly steps: number;
  readonly guidance: number;
  readonly onProgress: (done: number, count: number) => void;
  readonly signal: AbortSignal;
}

/** Makes what is missing of the pairs in a folder. Throws UserError, 'cancelled' among them; what is finished is kept. */
export async function makeTextPairs(folder: string, options: MakeTextPairsOptions): Promise<void> {
  const { engine, teacher, sha256, prompts, count, seed, steps, guidance, onProgress, signal } = options;
  const { network, model } = teacher;
  makeFolder(folder);
  writeFileAtomic(path.join(folder, promptsFile), `${prompts.prompts.join('\n')}\n`);
  const unet = new NetworkProgram(engine, {
    name: 'teacher',
    layout: network.layout,
    read: () => model.readWeights('unet'),
  });
  try {
    await writePairs(folder, {
      count,
      shardSize,
      batchSize: samplerBatch,
      seed,
      shape: network.latentShape,
      labelDim: 1,
      config: { teacher: sha256, sampler: 'pndm', steps, guidance, prompts: prompts.sha256 },
      make: (indices) => makeBatch(unet, options, indices),
      onProgress,
      signal,
    });
  } finally {
    await unet.dispose();
  }
}

/** The program's batch is fixed: a smaller one is filled up with copies of its last pair. */
async function makeBatch(unet: NetworkProgram, options: MakeTextPairsOptions, indices: readonly number[]) {
  const { teacher, embeddings, prompts, seed, steps, guidance, signal } = options;
  const { network, model } = teacher;
  const numbers = sizeOf(network.latentShape);
  const rows = Array.from({ length: samplerBatch }, (_, row) => indices[Math.min(row, indices.length - 1)]!);
  const z = new Float32Array(samplerBatch * numbers);
  for (const [row, index] of rows.entries()) {
    z.set(stream(seed, 'pairs', index, 'normal').randn(numbers), row * numbers);
  }
  const ids = rows.map((index) => stream(seed, 'pairs', index, 'prompts').randint(0, prompts.prompts.length, 1)[0]!);
  const texts = ids.map((id) => prompts.prompts[id]!);
  const guides = needsGuidance(guidance);
  const context = await embeddings.of(guides ? [...rows.map(() => ''), ...texts] : texts);
  const y = await model.sampler('pndm').sample(
    async (x, timestep) => {
      const prediction = await predict(unet, teacher, guides ? doubled(x) : x, timestep, context);
      return guides ? guideDoubled(prediction, guidance) : prediction;
    },
    z,
    { steps },
    { signal },
  );
  const first = (data: Float32Array, shape: readonly number[]): TensorData => ({
    shape: [indices.length, ...shape],
    data: data.slice(0, indices.length * sizeOf(shape)),
  });
  return {
    z: first(z, network.latentShape),
    y: first(y, network.latentShape),
    labels: first(Float32Array.from(ids), [1]),
  };
}

function predict(
  unet: NetworkProgram,
  { network }: TextTeacher,
  x: Float32Array,
  timestep: number,
  context: TensorData,
) {
  const [count] = context.shape;
  const shape = [count, ...network.latentShape];
  const build = (graph: Graph, source: ParameterSource) =>
    network.predict(
      source,
      graph.input('sample', shape),
      graph.input('timestep', [count]),
      graph.input('context', context.shape),
    );
  return unet.run(String(count), build, {
    sample: { shape, data: x },
    timestep: { shape: [count], data: new Float32Array(count).fill(timestep) },
    context,
  });
}

function doubled(x: Float32Array): Float32Array {
  const both = new Float32Array(2 * x.length);
  both.set(x);
  both.set(x, x.length);
  return both;
}

export interface TextPairSet {
  readonly set: PairSet;
  /** That the pairs' labels are numbers of. */
  readonly prompts: PromptList;
}

/** Opens pairs that fit a teacher. Throws UserError that names the folder and what does not fit. */
export async function openTextPairs({ network }: TextTeacher, folder: string): Promise<TextPairSet> {
  const set = await openPairs(folder, { shape: [...network.latentShape], labelDim: 1 });
  const file = path.join(folder, promptsFile);
  const prompts = promptList(readText(file).replace(/\n$/, '').split('\n'));
  if (prompts.sha256 === set.config.prompts) return { set, prompts };
  throw new UserError('data', `${file} holds other prompts than its pairs were made for`, 'Make the pairs anew.');
}

/** Batches drawn with replacement, a pure function of seed, step and micro-batch. */
export function referencePairs({ set, prompts }: TextPairSet, embeddings: TextEmbeddings, count: number, seed: number) {
  const batch: LatentPairs['batch'] = async (step, micro, size) => {
    const indices = stream(seed, 'distill', 'pairs', step, micro).randint(0, count, size);
    const { z, y, labels } = await set.batch([...indices]);
    return { z, y, context: await embeddings.of(Array.from(labels.data, (id) => prompts.prompts[id]!)) };
  };
  return { batch };
}

/**
 * Opens the pairs that a config names, checked against the teacher, or makes the run's own in `ownFolder`.
 * @throws UserError
 */
export async function openOrMakeTextPairs(
  config: DistillConfig,
  ownFolder: string,
  options: Omit<MakeTextPairsOptions, 'count' | 'seed' | 'steps' | 'guidance'>,
): Promise<{ pairs: LatentPairs; warning: string }> {
  const { path: named, count, steps } = config.regression.pairs;
  const { pairGuidance, guidance } = config.text;
  const { seed } = config;
  if (named === undefined) {
    await makeTextPairs(ownFolder, { ...options, count, seed, steps, guidance: pairGuidance ?? guidance });
  }
  const folder = named ?? ownFolder;
  const found = await openTextPairs(options.teacher, folder);
  const foreign = found.set.config.teacher !== options.sha256;
  const warning = foreign ? `the pairs in ${folder} were made by another teacher than ${config.teacher}` : '';
  return { pairs: referencePairs(found, options.embeddings, Math.min(count, found.set.count), seed), warning };
}
