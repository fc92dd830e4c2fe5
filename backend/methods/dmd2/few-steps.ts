/** The steps of a few-step generator after its first in training: what each is called on. */
import { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import {
  conditionInputs,
  type DiffusionModel,
  denoise,
  type LevelPoint,
  levelInputs,
  noised,
} from '../../models/diffusion-model.ts';
import { type DmdShape, parametersOf } from '../dmd/graphs.ts';

/** All calls, the first of them at pure noise. */
export const callsOf = ({ calledAt, calledAgain = [] }: DiffusionModel): readonly LevelPoint[] => [
  calledAt,
  ...calledAgain,
];

/** What the first call is given, [B, ...] of z [B, ...]. */
export const firstInput = ({ shape, data }: TensorData, { calledAt }: DiffusionModel): TensorData => ({
  shape,
  data: data.map((value) => calledAt.scale * value),
});

/** alpha x + sigma noise, on the host. */
export function noisedOnHost(x: TensorData, noise: TensorData, { alpha, sigma }: LevelPoint): TensorData {
  return { shape: x.shape, data: x.data.map((value, i) => alpha * value + sigma * noise.data[i]!) };
}

/**
 * One step without a gradient: inputs generator (teacher below adapters), xIn and conditions [B, ...], its level (`In`); output x. With
 * `next` also again [B, ...] and the level after it (`Next`), and the output xNext, x with that noise.
 */
export function stepGraph(shape: DmdShape, count: number, next: boolean): Graph {
  const { student } = shape;
  const graph = new Graph();
  const generator = parametersOf(graph, shape).generator();
  const xIn = graph.input('xIn', [count, ...student.shape]);
  const level = levelInputs(graph, student.levels, count, 'In');
  const x = denoise(student, generator, xIn, level, conditionInputs(graph, student, count));
  if (!next) {
    graph.output('x', x);
    return graph;
  }
  const noise = graph.input('again', x.shape);
  graph.output('xNext', noised(x, noise, levelInputs(graph, student.levels, count, 'Next')));
  return graph;
}
