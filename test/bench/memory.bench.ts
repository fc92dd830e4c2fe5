/**
 * What a DMD iteration keeps in memory: the most that this process had, beside what the values of its graphs need at the least when each
 * is given back after its last use. What is left over is the runtime's waste.
 *
 *     npm run bench -- memory [--network=cifar --batch=8] [--iterations=3]
 */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { graphCost } from '../../backend/graph/cost.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { fakeScoreGraph, generatorGraph } from '../../backend/methods/dmd/graphs.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { edmShape } from '../unit/training/edm-distillation.ts';
import { batch as builtInBatch, builtInNetwork, cifarNetwork } from './lib/dmd-case.ts';
import { numberOption, textOption, threadsOption } from './lib/options.ts';
import { edmIteration } from './table/workloads/edm-iteration.ts';

const network = textOption('network') === 'cifar' ? cifarNetwork : builtInNetwork;
const batch = numberOption('batch', builtInBatch);
const iterations = numberOption('iterations', 3);
const threads = threadsOption();

const shape = edmShape({
  ...{ network: createNetwork(network), batch, matching: { weight: 'eq8', realOnly: false } as const },
  regression: { batch, distance: l2Distance },
});
for (const [name, graph] of Object.entries({ generator: generatorGraph(shape), 'fake score': fakeScoreGraph(shape) })) {
  console.log(`${name}: values ${megabytes(graphCost(graph).peakBytes)} at most`);
}
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads });
const work = await edmIteration({ network, batch }).ready({ ...{ engine, threads, folder: '' }, begin: () => {} });
// The device has copies of its own of what the case began with.
await setImmediate();
globalThis.gc?.();
console.log(`before the first iteration: ${megabytes(most())}`);
for (let i = 1; i <= iterations; i++) {
  const { user } = process.cpuUsage();
  await work.turn();
  const seconds = (process.cpuUsage().user - user) / 1e6;
  console.log(`iteration ${i}: ${megabytes(most())}, ${seconds.toFixed(2)} s of the processor`);
}
await work.dispose();
await engine.dispose();

/** The most that this process has ever had; Linux says so. */
function most(): number {
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
