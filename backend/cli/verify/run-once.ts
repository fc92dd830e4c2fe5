/** Compiles a graph, runs it once and brings every output to the host. */
import type { Engine, Feed } from '../../engine/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NumberArray } from './compare.ts';

export async function runOnce(
  engine: Engine,
  graph: Graph,
  feeds: Readonly<Record<string, Feed>>,
): Promise<Map<string, NumberArray>> {
  if (graph.outputs.size === 0) return new Map();
  const program = await engine.compile(graph, { name: 'verify' });
  const arrays = new Map<string, NumberArray>();
  for (const [name, tensor] of Object.entries(await program.run(feeds))) {
    arrays.set(name, { shape: tensor.shape, data: (await tensor.read()).slice() });
    tensor.dispose();
  }
  await program.dispose();
  return arrays;
}
