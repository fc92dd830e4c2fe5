/** Whether the device can be opened and computes at all, and what it says it has. */
import { openDevice, runtimeOf } from '../../../backend/engine/open.ts';
import { Graph } from '../../../backend/graph/graph.ts';
import { add } from '../../../backend/graph/ops/index.ts';
import { tensorData } from '../../../backend/graph/tensor-data.ts';
import type { Findings } from '../record.ts';
import { Absent, type StepContext } from './step.ts';

/** Absent for every device but WebGPU, which is only opened where an adapter was found: there it is a failure. */
export async function opening({ device, settings }: StepContext): Promise<Findings> {
  try {
    const engine = await openDevice(device, settings.threads);
    const graph = new Graph();
    graph.output('y', add(graph.input('x', [3]), 1));
    const program = await engine.compile(graph, { name: 'first program' });
    const y = await (await program.run({ x: tensorData([3], Float32Array.of(1, -2, 0.5)) })).y!.read();
    const failures = String([...y]) === '2,-1,1.5' ? [] : [`it computes ${[...y]} where 2,-1,1.5 is right`];
    const has = await engine.capabilities();
    const rows = [
      ['runs through', await runtimeOf(device)],
      ['results stay on the device', has.resident ? 'yes' : has.onHost ? "the host's memory is its own" : 'no'],
      ['holds', has.holds.join(', ')],
      ['computes in', has.computes.join(', ')],
      ['largest array', `${Math.round(has.largestBuffer / 2 ** 20)} MiB`],
      ['fused operators', has.fused.join(', ') || 'none'],
    ];
    return { table: { head: ['what', 'it has'], rows }, notes: [], failures, data: { device: engine.device } };
  } catch (error) {
    const [line = ''] = String((error as Error).message).split('\n');
    if (device === 'webgpu') return { notes: [], failures: [line] };
    throw new Absent(line);
  }
}
