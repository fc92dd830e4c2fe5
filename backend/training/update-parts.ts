/** An update as one graph for each buffer of a chunk, in the order in which they are computed: what `updateGraph` computes all at once, number for number. */
import { Graph, type Tensor } from '../graph/graph.ts';
import { concat, mul, reshape, slice } from '../graph/ops/index.ts';
import {
  adamWScalarInput,
  adamWScalarsOf,
  heldAverage,
  movingAverage,
  nextFirstMoment,
  nextParameters,
  nextSecondMoment,
} from '../graph/optimizer.ts';
import type { Chunk, ParameterLayout } from '../graph/parameters.ts';
import { gradientInputs, scaleOf, targetName } from './update-graph.ts';

/** A buffer of a chunk, and how its next state comes about. */
export interface Part {
  readonly buffer: string;
  readonly kind: 'firstMoment' | 'secondMoment' | 'parameters' | 'average' | 'target';
  /** Which of the averages it is; -1: none. */
  readonly average: number;
}

/** Each after those that it is computed from. */
export function partsOf({ trainedSize }: Chunk, averages: readonly string[]): Part[] {
  const adam = (['firstMoment', 'secondMoment', 'parameters'] as const).map(
    (kind): Part => ({ buffer: kind, kind, average: -1 }),
  );
  const others = averages.map((buffer, average): Part => {
    return { buffer, kind: buffer === targetName ? 'target' : 'average', average };
  });
  return [...(trainedSize > 0 ? adam : []), ...others];
}

/**
 * What is known of an update before any of its parts. Inputs: gradient, by chunk; limits [2]: largest norm, what undoes the loss's
 * scale. Outputs: norm [], before clipping; factor [], which the gradient is multiplied by.
 */
export function scaleGraph({ chunks }: ParameterLayout): Graph {
  const graph = new Graph();
  const limits = graph.input('limits', [2]);
  const limit = (i: number) => reshape(slice(limits, [i], [i + 1]), []);
  const { norm, factor } = scaleOf(gradientInputs(graph, chunks), limit(0), limit(1));
  graph.output('norm', norm);
  graph.output('factor', factor);
  return graph;
}

/**
 * Inputs, as far as the part needs them: old [size]; gradient [trainedSize], factor [], adamW; the new firstMoment, secondMoment and
 * parameters [size]; decay []. Output: next [size].
 */
export function partGraph({ kind }: Part, { size, trainedSize }: Chunk): Graph {
  const graph = new Graph();
  const old = graph.input('old', [size]);
  graph.output('next', kind === 'average' || kind === 'target' ? averaged(kind) : whole(trained(kind)));
  return graph;

  function averaged(kind: 'average' | 'target'): Tensor {
    const average = kind === 'target' ? heldAverage : movingAverage;
    return average(old, graph.input('parameters', [size]), graph.input('decay', []));
  }

  function trained(kind: 'firstMoment' | 'secondMoment' | 'parameters'): Tensor {
    const settings = adamWScalarsOf(adamWScalarInput(graph, 'adamW'));
    if (kind === 'parameters') {
      const moment = (name: string) => head(graph.input(name, [size]));
      const moments = { firstMoment: moment('firstMoment'), secondMoment: moment('secondMoment') };
      return nextParameters({ parameters: head(old), ...moments }, settings);
    }
    const next = kind === 'firstMoment' ? nextFirstMoment : nextSecondMoment;
    const gradient = mul(graph.input('gradient', [trainedSize]), graph.input('factor', []));
    return next(head(old), gradient, settings);
  }

  /** The numbers that are trained; those after them stay. */
  function head(flat: Tensor): Tensor {
    return trainedSize === size ? flat : slice(flat, [0], [trainedSize]);
  }

  function whole(next: Tensor): Tensor {
    return trainedSize === size ? next : concat([next, slice(old, [trainedSize], [size])], 0);
  }
}
