/** What a dry run of a distillation is made of, for either family of models. */

import { graphCost } from '../../graph/cost.ts';
import type { Graph } from '../../graph/graph.ts';
import { initialParameters, type ParameterLayout, unpackParameters } from '../../graph/parameters.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { DistillTrainer } from '../../methods/dmd/distill.ts';
import type { Probe } from '../../methods/dmd/probe.ts';
import { stream } from '../../random/stream.ts';
import type { Preview } from '../../training/session.ts';

/** Cost of one micro-batch, both networks' halves. */
export interface MicroCost {
  readonly flops: number;
  /** Values alive at one time, of the half that has more. */
  readonly peakBytes: number;
  /** Parameters, optimizer states old and new, gradients. */
  readonly weightBytes: number;
}

export interface DryRun {
  /** On random weights and data, one micro-batch per update. */
  readonly trainer: DistillTrainer;
  readonly parameters: { readonly network: number; readonly generator: number; readonly fake: number };
  readonly imagesPerMicro: number;
  /** Of the config, and of what is tried: the same object where that is the config's own size. */
  readonly whole: MicroCost;
  readonly part: MicroCost;
  readonly recorded: readonly Recorded[];
  /** Null where none are made. */
  readonly pairs: { readonly count: number; readonly flopsPerPair: number } | null;
}

/** What a run records beside its curves: the probe, or sample pictures. */
export interface Recorded {
  /** Updates from one to the next. */
  readonly every: number;
  /** How many times as long as what is tried the config's own takes; 1 where that is tried. */
  readonly scale: number;
  /** Read off its graphs; null where its memory is measured. */
  readonly bytes: number | null;
  open(): Promise<OpenRecorded>;
}

export interface OpenRecorded {
  /** As it is done once in the run. */
  take(): Promise<unknown>;
  dispose(): Promise<void>;
}

export const asTried = { scale: 1, bytes: null } as const;

export interface HalvesOfMicro {
  readonly generator: Graph;
  readonly fake: Graph | null;
  /** Times that the fake half runs. */
  readonly fakeUpdates: number;
}

/**
 * @param layouts what is trained of either network, and the teacher where it is needed
 * @param teacherBytes per number of the teacher on the device
 */
export function microCost(
  { generator, fake, fakeUpdates }: HalvesOfMicro,
  layouts: { generator: ParameterLayout; fake: ParameterLayout; teacher: ParameterLayout | null },
  teacherBytes: 2 | 4,
): MicroCost {
  const halves = [graphCost(generator), ...(fake ? [graphCost(fake)] : [])];
  const [first, second] = halves;
  // Old and new states of four buffers each until they are committed, and one gradient at a time.
  const trained = 8 * (layouts.generator.size + layouts.fake.size);
  const gradient = Math.max(layouts.generator.trainedSize, layouts.fake.trainedSize);
  // The teacher on the device, and by name for what is written in the end.
  const teacher = (teacherBytes + 4) * (layouts.teacher?.size ?? 0);
  return {
    flops: first!.flops + (second?.flops ?? 0) * fakeUpdates,
    peakBytes: Math.max(...halves.map(({ peakBytes }) => peakBytes)),
    weightBytes: 4 * (trained + gradient) + teacher,
  };
}

/** Of the probe, read with the networks as they are. */
export async function openProbe(probe: Promise<Probe>, trainer: DistillTrainer): Promise<OpenRecorded> {
  const opened = await probe;
  const take = () => {
    const { generator, fake, teacher } = trainer.parameters;
    return opened.read({ generator, fake, teacher: teacher! });
  };
  return { take, dispose: () => opened.dispose() };
}

export async function openPreview(preview: Promise<Preview>, trainer: DistillTrainer): Promise<OpenRecorded> {
  const opened = await preview;
  const take = () => opened.images(trainer.parameters.average, trainer.parameters.teacher);
  return { take, dispose: () => opened.dispose() };
}

export function randomWeights(layout: ParameterLayout): Map<string, TensorData> {
  return unpackParameters(layout, initialParameters(layout, stream(0, 'plan')));
}

export function randomTensor(shape: readonly number[]): TensorData {
  return { shape, data: stream(0, 'plan', 'data').randn(sizeOf(shape)) };
}
