/** One AdamW update of a network as a graph: old buffers in, new ones out, each in the layout's chunks. */
import { Graph, type Tensor } from '../graph/graph.ts';
import { add, mul, reshape, slice, sqrt, square, sum } from '../graph/ops/index.ts';
import {
  type AdamWOptions,
  adamW,
  adamWScalarCount,
  adamWScalarInput,
  adamWScalars,
  clipFactor,
  heldAverage,
  movingAverage,
} from '../graph/optimizer.ts';
import { type Chunk, chunkName, type ParameterLayout } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';

export interface UpdateSettings extends AdamWOptions {
  /** Largest L2 norm of the gradient; Infinity does not clip. */
  readonly clip: number;
  /** Decay of each moving average in this update, 0 <= decay < 1; 0 makes it follow the parameters exactly. A target's may be 1. */
  readonly emaDecays: readonly number[];
  /** What the gradient was multiplied by on its way; 1 unless given. */
  readonly lossScale?: number | undefined;
  /** The optimizer begins anew with this update: moments of 0, and it is the first. */
  readonly fresh?: boolean;
}

/** What an update keeps besides the averages. */
export const adamBuffers = ['parameters', 'firstMoment', 'secondMoment'] as const;

/** An average that training itself looks at: one that may be held (decay 1) and then follow at once (0). */
export const targetName = 'target';

/** The moving averages' names, the first of them `ema`. */
export const averageNames = (decays: readonly number[]): string[] =>
  decays.map((decay, i) => (i === 0 ? 'ema' : `ema.${decay}`));

/**
 * Inputs: every buffer and `gradient`, by chunk; adamW; limits [2 + averages]: largest norm, what undoes the loss's scale, decays. Outputs: every buffer under
 * its name with `new.` before it; norm [], of the whole gradient before clipping.
 */
export function updateGraph({ chunks }: ParameterLayout, averages: readonly string[]): Graph {
  const graph = new Graph();
  const gradients = gradientInputs(graph, chunks);
  const scalars = adamWScalarInput(graph, 'adamW');
  const limits = graph.input('limits', [2 + averages.length]);
  const limit = (i: number) => reshape(slice(limits, [i], [i + 1]), []);
  const { norm, factor } = scaleOf(gradients, limit(0), limit(1));
  chunks.forEach(({ size }, i) => {
    const input = (name: string) => graph.input(chunkName(name, i), [size]);
    const output = (name: string, value: Tensor) => graph.output(`new.${chunkName(name, i)}`, value);
    const [parameters, firstMoment, secondMoment] = adamBuffers.map(input) as [Tensor, Tensor, Tensor];
    const gradient = gradients[i];
    const state = { parameters, firstMoment, secondMoment };
    const next = gradient ? adamW(state, mul(gradient, factor), scalars) : state;
    for (const name of adamBuffers) output(name, next[name]);
    averages.forEach((name, k) => {
      const average = name === targetName ? heldAverage : movingAverage;
      output(name, average(input(name), next.parameters, limit(2 + k)));
    });
  });
  graph.output('norm', norm);
  return graph;
}

export const gradientInputs = (graph: Graph, chunks: readonly Chunk[]) =>
  chunks
    .filter(({ trainedSize }) => trainedSize > 0)
    .map(({ trainedSize }, i) => graph.input(chunkName('gradient', i), [trainedSize]));

/** @param undone what undoes the loss's scale. @returns the norm before clipping, and what the gradient is multiplied by */
export function scaleOf(gradients: readonly Tensor[], clip: Tensor, undone: Tensor) {
  const norm = mul(sqrt(gradients.map((gradient) => sum(square(gradient))).reduce(add)), undone);
  return { norm, factor: mul(clipFactor(norm, clip), undone) };
}

/** What that graph is told of the update with number `step`, 1 for the first. */
export function updateFeeds(settings: UpdateSettings, step: number): Record<'adamW' | 'limits', TensorData> {
  const clip = Number.isFinite(settings.clip) ? settings.clip : 3e38;
  return {
    adamW: { shape: [adamWScalarCount], data: adamWScalars(settings, step) },
    limits: {
      shape: [2 + settings.emaDecays.length],
      data: Float32Array.of(clip, 1 / (settings.lossScale ?? 1), ...settings.emaDecays),
    },
  };
}
