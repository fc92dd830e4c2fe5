/** A program that takes its time. */
import { Graph, type Tensor } from '../../../backend/graph/graph.ts';
import * as ops from '../../../backend/graph/ops/index.ts';

const size = 512;

/** Products of matrices one after the other, some milliseconds each. Every column of x becomes its average: ones stay ones. */
export function longProduct(graph: Graph, products: number): Tensor {
  const average = graph.constant([size, size], new Float32Array(size * size).fill(1 / size));
  let y = graph.input('x', [size, size]);
  for (let i = 0; i < products; i++) y = ops.matmul(average, y);
  return ops.slice(y, [0, 0], [1, 3]);
}

export function longGraph(products: number): Graph {
  const graph = new Graph();
  graph.output('y', longProduct(graph, products));
  return graph;
}

export const ones = () => ({ shape: [size, size], data: new Float32Array(size * size).fill(1) });
