/** A few iterations of a distillation on random weights and data, and what the whole is read off the graphs to take. */

import { type GraphCost, graphCost } from '../../graph/cost.ts';
import type { Graph } from '../../graph/graph.ts';
import { initialParameters, type ParameterLayout, unpackParameters } from '../../graph/parameters.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { stream } from '../../random/stream.ts';
import type { Trainer } from '../../training/trainer.ts';

/** What may be tried. */
export interface Limits {
  readonly bytes: number;
  readonly flops: number;
}

/** Cost of one micro-batch, all networks' parts. */
export interface MicroCost {
  readonly flops: number;
  /** Values alive at one time, of the part that has most. */
  readonly peakBytes: number;
  /** Parameters, optimizer states old and new, gradients. */
  readonly weightBytes: number;
}

export interface DryRun {
  /** On random weights and data, one micro-batch per update. */
  readonly trainer: Trainer;
  /** Numbers in one network, and how many are trained of each trained one. */
  readonly parameters: { readonly network: number; readonly trained: Readonly<Record<string, number>> };
  readonly imagesPerMicro: number;
  /** Of the config, and of what is tried: the same object where that is the config's own size. */
  readonly whole: MicroCost;
  readonly part: MicroCost;
  readonly recorded: readonly Recorded[];
  /** Null where none are made. */
  readonly pairs: { readonly count: number; readonly flopsPerPair: number } | null;
}

/** What a run records besides its curves: the probe, or sample pictures. */
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

/** Of graphs that run one after the other, `times` each. */
export function costOfAll(graphs: readonly (readonly [graph: Graph, times: number])[]): GraphCost {
  const costs = graphs.map(([graph, times]) => ({ ...graphCost(graph), times }));
  return {
    flops: costs.reduce((sum, { flops, times }) => sum + flops * times, 0),
    peakBytes: Math.max(...costs.map(({ peakBytes }) => peakBytes)),
    constantBytes: costs.reduce((sum, { constantBytes }) => sum + constantBytes, 0),
  };
}

/**
 * What is tried of something recorded, beside the whole of it. Memory cannot be told from something much smaller: then weights are
 * held by the host and by the engine, values once.
 */
export function comparedTo(tried: GraphCost, whole: GraphCost, fits: boolean): Pick<Recorded, 'scale' | 'bytes'> {
  if (fits) return { scale: 1, bytes: null };
  return { scale: whole.flops / tried.flops, bytes: 2 * whole.constantBytes + whole.peakBytes };
}

export function randomWeights(layout: ParameterLayout): Map<string, TensorData> {
  return unpackParameters(layout, initialParameters(layout, stream(0, 'plan')));
}

export function randomTensor(shape: readonly number[]): TensorData {
  return { shape, data: stream(0, 'plan', 'data').randn(sizeOf(shape)) };
}
