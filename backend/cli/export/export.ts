/** The work of `dmd export`. */
import { basename, extname } from 'node:path';
import { inferenceGraph } from '../../dmd/inference-graph.ts';
import { runOnnxFile } from '../../engine/onnxruntime/run-file.ts';
import { openDevice } from '../../engine/open.ts';
import type { Graph } from '../../graph/graph.ts';
import { emitOnnx } from '../../graph/onnx/emit.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { stream } from '../../random/stream.ts';
import { type Model, openModel } from '../../runs/model-file.ts';
import { packageVersion } from '../../runs/package.ts';
import { writeAtomically } from '../../weights/atomic-file.ts';
import type { Output } from '../output.ts';

export interface ExportOptions {
  readonly out?: string;
  readonly batch: number;
}

/** The two runs differ in the order of their sums only. */
const tolerance = 1e-4;
/** What one protobuf message can hold. */
const largestFile = 2 ** 31;

/** Returns the exit code: 1 when the file computes other pixels. */
export async function exportCommand(name: string, options: ExportOptions, output: Output): Promise<number> {
  const model = await openModel(name);
  const file = options.out ?? `${basename(model.path, extname(model.path))}.onnx`;
  const graph = inferenceGraph(model, options.batch);
  const size = 4 * [...model.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  if (size >= largestFile) {
    const message = `${model.path} has ${(size / 1e9).toFixed(1)} GB of weights; one ONNX file holds at most 2 GB`;
    throw new UserError('weights', message, 'A smaller network is needed.');
  }
  const bytes = emitOnnx(graph, { target: 'portable', metadata: describe(model) });
  await writeAtomically(file, [bytes]);

  const feeds = trialFeeds(model, graph, options.batch);
  const [actual] = (await runOnnxFile(file, feeds)).values();
  const { error, largest } = difference(actual, await ownPixels(graph, feeds));
  const ok = error <= tolerance * largest;
  const signature = ({ inputs, outputs }: Graph) =>
    [inputs, outputs].map((part) => [...part].map(([key, { shape }]) => `${key} [${shape.join(', ')}]`).join(', '));
  const [inputs, outputs] = signature(graph);
  output.event('export', { file, bytes: bytes.length, inputs, outputs, largestError: error, tolerance, ok });
  output.line(`${file}: ${(bytes.length / 1e6).toFixed(1)} MB, ${inputs} -> ${outputs}`);
  const verdict = `largest difference ${error.toExponential(1)} in pixels up to ${largest.toFixed(2)}`;
  output.line(ok ? `run on its own it gives the same pixels (${verdict})` : `MISS: other pixels (${verdict})`);
  return ok ? 0 : 1;
}

function describe({ network, role, generatorSigma, sha256 }: Model): Record<string, string> {
  return {
    'dmd.network': JSON.stringify(network.config),
    'dmd.role': role,
    'dmd.generatorSigma': String(generatorSigma),
    'dmd.sha256': sha256,
    'dmd.version': packageVersion(),
  };
}

/** Noise, a middling noise level, and one class after the other. */
function trialFeeds({ network }: Model, graph: Graph, batch: number): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {};
  for (const [name, { shape }] of graph.inputs) {
    feeds[name] = { shape, data: stream(0, 'export', name).randn(sizeOf(shape)) };
  }
  if (feeds.sigma) feeds.sigma = { shape: [batch], data: new Float32Array(batch).fill(network.roundSigma(1)) };
  if (feeds.labels) {
    const { shape } = feeds.labels;
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < batch; i++) data[i * shape[1] + (i % shape[1])] = 1;
    feeds.labels = { shape, data };
  }
  return feeds;
}

async function ownPixels(graph: Graph, feeds: Record<string, TensorData>): Promise<TensorData> {
  const engine = await openDevice('cpu', 0);
  try {
    const program = await engine.compile(graph, { name: 'export' });
    const [tensor] = Object.values(await program.run(feeds));
    return { shape: tensor.shape, data: (await tensor.read()).slice() };
  } finally {
    await engine.dispose();
  }
}

/** NaN when either side holds one, or when the shapes differ. */
function difference(actual: TensorData, expected: TensorData): { error: number; largest: number } {
  let [error, largest] = [actual.shape.join() === expected.shape.join() ? 0 : Number.NaN, 0];
  expected.data.forEach((value, i) => {
    error = Math.max(error, Math.abs(actual.data[i] - value));
    largest = Math.max(largest, Math.abs(value));
  });
  return { error, largest };
}
