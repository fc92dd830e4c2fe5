/**
 * Which fused operators a device has, found by running each: a small graph once with the operator on the device and once written
 * out on the CPU. An operator that is not there, that the device leaves to the CPU, or that gives other numbers does not count.
 */
import { Graph } from '../../graph/graph.ts';
import { floatsToHalves } from '../../graph/half.ts';
import { fusedOperators, type OrtOperator, portable } from '../../graph/onnx/capabilities.ts';
import { type LoweredGraph, lowerGraph } from '../../graph/onnx/emit.ts';
import { encodeModel } from '../../graph/onnx/proto.ts';
import { embeddingGrad } from '../../graph/ops/embedding.ts';
import {
  add,
  conv2d,
  gelu,
  groupNorm,
  headAttention,
  matmul,
  reshape,
  silu,
  slice,
  widen,
} from '../../graph/ops/index.ts';
import { type HalfData, sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { floatsOf, hostTensor } from './host-tensor.ts';
import type { OrtDevice } from './providers.ts';
import { runtime } from './runtime.ts';

/** Largest difference from the written-out form, of the largest number. */
const tolerance = 1e-4;

/** The same for numbers that were rounded to float16 on their way. */
const halfTolerance = 1e-2;

/** What each operator is tried on. */
const trials: Readonly<Record<OrtOperator, (graph: Graph) => void>> = {
  QuickGelu: (graph) => graph.output('y', silu(graph.input('x', [3, 7]))),
  Gelu: (graph) => graph.output('y', gelu(graph.input('x', [3, 7]))),
  FusedMatMul(graph) {
    const [a, b] = [graph.input('a', [2, 3, 5]), graph.input('b', [2, 7, 3])];
    graph.output('y', matmul(a, b, { transA: true, transB: true }));
  },
  MultiHeadAttention(graph) {
    const [q, k, v] = [graph.input('q', [2, 5, 6]), graph.input('k', [2, 7, 6]), graph.input('v', [2, 7, 4])];
    graph.output('y', headAttention(q, k, v, { heads: 2, scale: 0.7 }));
  },
  // Far from zero, where a variance taken in one pass loses its digits.
  InstanceNormalization(graph) {
    const [scale, shift] = [graph.input('scale', [6]), graph.input('shift', [6])];
    graph.output('y', groupNorm(add(graph.input('x', [2, 6, 5, 7]), 100), scale, shift, 3, 1e-5));
  },
  // Its factor and summand differ by sample and channel.
  BatchNormalization(graph) {
    const [scale, shift] = [graph.input('scale', [2, 6]), graph.input('shift', [2, 6])];
    graph.output('y', groupNorm(graph.input('x', [2, 6, 5, 7]), scale, shift, 3, 1e-5));
  },
  ScatterND(graph) {
    const ids = graph.constant([5], [3, 0, 3, 1, 3]);
    graph.output('y', embeddingGrad(ids, graph.input('dy', [5, 2]), [4, 2]));
  },
};

/**
 * Processors of a GPU add to one place (ScatterND) in whatever order they come: the sum would differ from run to run. What
 * BatchNormalization saves, a pass over memory, was measured on the CPU alone.
 */
const onCpuAlone: ReadonlySet<OrtOperator> = new Set(['ScatterND', 'BatchNormalization']);

export async function workingOperators(device: OrtDevice, trial = trialOn(device)): Promise<OrtOperator[]> {
  const working: OrtOperator[] = [];
  for (const operator of fusedOperators) {
    if (onCpuAlone.has(operator) && device !== 'cpu') continue;
    const graph = new Graph();
    trials[operator](graph);
    if (await works(trial, graph, operator)) working.push(operator);
  }
  return working;
}

async function works(trial: Trial, graph: Graph, operator: OrtOperator): Promise<boolean> {
  const feeds = Object.fromEntries([...graph.inputs].map(([name, { shape }]) => [name, someNumbers(shape)]));
  const tried = lowerGraph(graph, { capabilities: { ...portable, fused: [operator] } });
  return agrees(trial, { exact: lowerGraph(graph), tried, feeds }, tolerance);
}

interface Compared {
  /** What the CPU runs, for the right numbers. */
  readonly exact: LoweredGraph;
  readonly tried: LoweredGraph;
  readonly feeds: Readonly<Record<string, TensorData>>;
}

async function agrees(trial: Trial, { exact, tried, feeds }: Compared, most: number): Promise<boolean> {
  try {
    const expected = await run('cpu', exact, feeds);
    const actual = await trial(tried, feeds);
    const largest = expected.reduce((far, value) => Math.max(far, Math.abs(value)), 0);
    return expected.every((value, i) => Math.abs(value - actual[i]) <= most * largest);
  } catch {
    return false;
  }
}

/**
 * Whether the device computes in float16: a convolution and a product, to float16's digits, nothing of it left to the CPU. The CPU itself
 * would widen every operator's inputs and round its results, which is more work than float32.
 */
export async function computesHalves(device: OrtDevice, trial = trialOn(device)): Promise<boolean> {
  if (device === 'cpu') return false;
  const graph = new Graph();
  const [x, kernel] = [graph.input('x', [2, 4, 5, 7]), graph.input('kernel', [6, 4, 3, 3])];
  const rows = reshape(silu(conv2d(x, kernel, null, { padding: 1 })), [2, 6, 35]);
  graph.output('y', matmul(rows, graph.input('b', [2, 35, 3])));
  const [exact, halves] = [lowerGraph(graph), lowerGraph(Object.assign(graph, { computes: 'float16' as const }))];
  const feeds = Object.fromEntries([...graph.inputs].map(([name, { shape }]) => [name, someNumbers(shape)]));
  return agrees(trial, { exact, tried: halves, feeds }, halfTolerance);
}

/** Whether the device takes float16: on the way in, the same numbers on the way out. */
export async function takesHalves(trial: Trial): Promise<boolean> {
  const numbers = Float32Array.of(1, -0.5, 65504, 2 ** -24);
  const graph = new Graph();
  const x = graph.input('x', [numbers.length], 'float16');
  graph.output('y', widen(slice(x, [1], [numbers.length])));
  try {
    const y = await trial(lowerGraph(graph), { x: { shape: [numbers.length], halves: floatsToHalves(numbers) } });
    return numbers.subarray(1).every((number, i) => y[i] === number);
  } catch {
    return false;
  }
}

/** The result y of one run on the device alone. */
export type Trial = (
  lowered: LoweredGraph,
  feeds: Readonly<Record<string, TensorData | HalfData>>,
) => Promise<Float32Array>;

/** Through onnxruntime-node. */
export const trialOn =
  (device: OrtDevice): Trial =>
  (lowered, feeds) =>
    run(device, lowered, feeds);

async function run(
  device: OrtDevice,
  lowered: LoweredGraph,
  feeds: Readonly<Record<string, TensorData | HalfData>>,
): Promise<Float32Array> {
  const session = await runtime.InferenceSession.create(encodeModel(lowered), {
    executionProviders: [device],
    intraOpNumThreads: 1,
    // A missing operator is an answer here, not an error.
    logSeverityLevel: 4,
    ...(device === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
  });
  try {
    const tensors = Object.entries(feeds).map(([name, value]) => [name, hostTensor(value)]);
    const { y } = await session.run(Object.fromEntries(tensors));
    return floatsOf(y).slice();
  } finally {
    await session.release();
  }
}

/** The same at every trial, of both signs and without a pattern that fits the shape. */
function someNumbers(shape: readonly number[]): TensorData {
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1.7 * i * i + shape.length)) };
}
