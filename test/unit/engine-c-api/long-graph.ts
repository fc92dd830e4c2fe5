/** A program that takes its time. */
import { Graph } from '../../../backend/graph/graph.ts';
import * as ops from '../../../backend/graph/ops/index.ts';

const size = 512;

/** Products of matrices one after the other, some milliseconds each. Every column becomes its average: ones stay ones. */
export function longGraph(products: number): Graph {
  const graph = new Graph();
  const average = graph.constant([size, size], new Float32Array(size * size).fill(1 / size));
  let y = graph.input('x', [size, size]);
  for (let i = 0; i < products; i++) y = ops.matmul(average, y);
  graph.output('y', ops.slice(y, [0, 0], [1, 3]));
  return graph;
}

export const ones = () => ({ shape: [size, size], data: new Float32Array(size * size).fill(1) });
