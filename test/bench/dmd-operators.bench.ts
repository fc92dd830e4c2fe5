/**
 * Where the time of one DMD iteration of the built-in model goes: ONNX Runtime's own profile of its programs, summed by
 * kind of operator. Every node counts with its shortest time over the runs, so that what else the machine does falls out.
 *
 *     npm run bench -- dmd-operators --threads=1 --runs=6 --nodes=1
 *
 * `--nodes=N` lists the N slowest nodes of each program.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ortCapabilities } from '../../backend/engine/onnxruntime/capabilities.ts';
import { runtime } from '../../backend/engine/onnxruntime/runtime.ts';
import type { Graph } from '../../backend/graph/graph.ts';
import { emitOnnx } from '../../backend/graph/onnx/emit.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { programs } from './lib/dmd-programs.ts';
import { numberOption, threadsOption } from './lib/options.ts';

interface NodeTime {
  kind: string;
  name: string;
  shapes: string;
  milliseconds: number;
}

/** What this reads of an entry in the runtime's profile. */
interface ProfileEvent {
  cat: string;
  name: string;
  /** Microseconds. */
  dur: number;
  args?: { op_name?: string; input_type_shape?: unknown; output_type_shape?: unknown };
}

const threads = threadsOption();
const runs = numberOption('runs', 6);
const listed = numberOption('nodes', 1);

console.log(`Shortest times over ${runs} runs, ${threads} thread(s), in milliseconds`);
for (const [name, graph] of programs) report(name, await profile(graph));

async function profile(graph: Graph): Promise<NodeTime[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-profile-'));
  const model = emitOnnx(graph, { capabilities: await ortCapabilities('cpu') });
  const session = await runtime.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'p'),
  });
  const random = stream(1, 'profile');
  const feeds = [...graph.inputs].map(([name, { shape }]) => {
    // Positive everywhere: some inputs are noise levels and second moments.
    const values = random.rand(sizeOf(shape)).map((value) => 0.01 + 0.1 * value);
    return [name, new runtime.Tensor('float32', values, shape)] as const;
  });
  for (let run = 0; run < runs; run++) await session.run(Object.fromEntries(feeds));
  session.endProfiling();
  await session.release();
  const times = await readProfile(folder);
  await rm(folder, { recursive: true });
  return times;
}

async function readProfile(folder: string): Promise<NodeTime[]> {
  const [file] = await readdir(folder);
  const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as ProfileEvent[];
  const nodes = new Map<string, NodeTime>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const shapes = `${shapesOf(args?.input_type_shape)} -> ${shapesOf(args?.output_type_shape)}`;
    const time = { kind: args?.op_name ?? '?', name, shapes, milliseconds: dur / 1000 };
    const known = nodes.get(name);
    if (!known || time.milliseconds < known.milliseconds) nodes.set(name, time);
  }
  return [...nodes.values()];
}

function shapesOf(value: unknown): string {
  if (!Array.isArray(value)) return '';
  return value.map((each: Record<string, number[]>) => `[${Object.values(each)[0].join(',')}]`).join(' ');
}

function report(name: string, times: NodeTime[]): void {
  const kinds = new Map<string, { count: number; milliseconds: number }>();
  for (const { kind, milliseconds } of times) {
    const sum = kinds.get(kind) ?? { count: 0, milliseconds: 0 };
    kinds.set(kind, { count: sum.count + 1, milliseconds: sum.milliseconds + milliseconds });
  }
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  console.log(`${name}: ${total.toFixed(0)} in ${times.length} nodes`);
  for (const [kind, sum] of [...kinds].sort(([, a], [, b]) => b.milliseconds - a.milliseconds)) {
    if (sum.milliseconds < 0.005 * total) continue;
    const share = ((100 * sum.milliseconds) / total).toFixed(1);
    console.log(
      `  ${kind.padEnd(16)} ${sum.milliseconds.toFixed(1).padStart(7)}  ${share.padStart(5)} %  ${sum.count}`,
    );
  }
  for (const node of [...times].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, listed)) {
    console.log(
      `    ${node.milliseconds.toFixed(2).padStart(6)}  ${node.name.replace('_kernel_time', '')} ${node.shapes}`,
    );
  }
}
