/** An engine that adds up what its programs' products cost, by the shapes of their graphs. */
import type { Engine } from '../../../backend/engine/engine.ts';
import { graphCost } from '../../../backend/graph/cost.ts';

export function countingFlops(inner: Engine): { engine: Engine; flops: () => number } {
  let sum = 0;
  const engine: Engine = {
    device: inner.device,
    crossings: inner.crossings,
    capabilities: () => inner.capabilities(),
    upload: (value) => inner.upload(value),
    receive: (shape, slices) => inner.receive(shape, slices),
    dispose: () => inner.dispose(),
    async compile(graph, options) {
      const { flops } = graphCost(graph);
      const program = await inner.compile(graph, options);
      return {
        inputs: program.inputs,
        outputs: program.outputs,
        run(feeds) {
          sum += flops;
          return program.run(feeds);
        },
        dispose: () => program.dispose(),
      };
    },
  };
  return { engine, flops: () => sum };
}
