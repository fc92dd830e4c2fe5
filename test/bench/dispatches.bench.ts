/**
 * How many kernels a graphics card is asked for in one DMD iteration of the built-in model: the nodes that ONNX Runtime has left of
 * each program once it has optimised it for WebGPU, without those that only rename what is in memory. Compiles, runs nothing; works on
 * SwiftShader.
 *
 *     npm run bench -- dispatches
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Pbf from 'pbf';
import { ortCapabilities } from '../../backend/engine/onnxruntime/capabilities.ts';
import { runtime } from '../../backend/engine/onnxruntime/runtime.ts';
import type { Graph } from '../../backend/graph/graph.ts';
import { emitOnnx } from '../../backend/graph/onnx/emit.ts';
import { programs } from './lib/dmd-programs.ts';

/** Look at the same memory in another shape. */
const free = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten']);

let total = 0;
for (const [name, graph] of programs) {
  const counts = await operators(graph);
  const kernels = [...counts].filter(([operator]) => !free.has(operator)).sort((a, b) => b[1] - a[1]);
  const sum = kernels.reduce((all, [, count]) => all + count, 0);
  total += sum;
  const most = kernels.slice(0, 8).map(([operator, count]) => `${operator} ${count}`);
  console.log(`${name}: ${sum} kernels (${most.join(', ')})`);
}
console.log(`one iteration: ${total} kernels`);
process.exit(0);

/** Nodes by operator of the program as the runtime has optimised it. */
async function operators(graph: Graph): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-dispatches-'));
  const optimizedModelFilePath = join(folder, 'optimised.onnx');
  await runtime.InferenceSession.create(emitOnnx(graph, { capabilities: await ortCapabilities('webgpu') }), {
    executionProviders: ['webgpu', 'cpu'],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    optimizedModelFilePath,
  });
  const counts = new Map<string, number>();
  const pbf = new Pbf(await readFile(optimizedModelFilePath));
  await rm(folder, { recursive: true });
  // ModelProto.graph = 7, GraphProto.node = 1, NodeProto.op_type = 4
  pbf.readFields((model) => {
    if (model !== 7) return;
    pbf.readMessage((inGraph) => {
      if (inGraph !== 1) return;
      pbf.readMessage((inNode) => {
        if (inNode !== 4) return;
        const operator = pbf.readString();
        counts.set(operator, (counts.get(operator) ?? 0) + 1);
      }, null);
    }, null);
  }, null);
  return counts;
}
