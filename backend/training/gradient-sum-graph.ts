/** Gradients of several micro-batches summed for one update, in the layout's chunks. */
import { Graph } from '../graph/graph.ts';
import { add, mul } from '../graph/ops/index.ts';
import { chunkName, type ParameterLayout } from '../graph/parameters.ts';

/** Inputs: total and gradient, by chunk; factor []. Outputs: sum, by chunk, total + gradient * factor. */
export function gradientSumGraph({ chunks }: ParameterLayout): Graph {
  const graph = new Graph();
  const factor = graph.input('factor', []);
  chunks.forEach(({ trainedSize }, i) => {
    if (trainedSize === 0) return;
    const [total, gradient] = ['total', 'gradient'].map((name) => graph.input(chunkName(name, i), [trainedSize]));
    graph.output(chunkName('sum', i), add(total!, mul(gradient!, factor)));
  });
  return graph;
}
