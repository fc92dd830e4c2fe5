/** Whether a device can hold weights as float16. */

import { Graph } from '../graph/graph.ts';
import { floatsToHalves } from '../graph/half.ts';
import { slice } from '../graph/ops/index.ts';
import type { Engine } from './engine.ts';

const known = new WeakMap<Engine, Promise<boolean>>();

/** Found out by doing it, once per engine: float16 on the way in, the same numbers on the way out. */
export function holdsHalves(engine: Engine): Promise<boolean> {
  const answer = known.get(engine) ?? tried(engine).catch(() => false);
  known.set(engine, answer);
  return answer;
}

async function tried(engine: Engine): Promise<boolean> {
  const numbers = Float32Array.of(1, -0.5, 65504, 2 ** -24);
  const graph = new Graph();
  graph.output('y', slice(graph.halfInput('x', [numbers.length]), [1], [numbers.length]));
  const program = await engine.compile(graph, { name: 'float16' });
  const x = engine.upload({ shape: [numbers.length], halves: floatsToHalves(numbers) });
  try {
    const { y } = await program.run({ x });
    const read = await y.read();
    y.dispose();
    return numbers.subarray(1).every((number, i) => read[i] === number);
  } finally {
    x.dispose();
    await program.dispose();
  }
}
