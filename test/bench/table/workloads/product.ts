/** A product of square matrices, 1536 a side: what the machine does at most, and the measure of everything else. */
import { Graph } from '../../../../backend/graph/graph.ts';
import { matmul } from '../../../../backend/graph/ops/index.ts';
import { stream } from '../../../../backend/random/stream.ts';
import type { Workload } from '../workload.ts';

const side = 1536;

export const product: Workload = {
  prepare: async () => {},
  async ready({ engine, begin }) {
    const matrix = (name: string) => ({ shape: [side, side], data: stream(3, name).randn(side * side) });
    const feeds = { a: engine.upload(matrix('a')), b: engine.upload(matrix('b')) };
    begin();
    const graph = new Graph();
    graph.output('c', matmul(graph.input('a', [side, side]), graph.input('b', [side, side])));
    const program = await engine.compile(graph, { name: 'product' });
    return {
      async turn() {
        for (const tensor of Object.values(await program.run(feeds))) tensor.dispose();
      },
      answers: async () => new Map(),
      dispose: () => program.dispose(),
    };
  },
};
