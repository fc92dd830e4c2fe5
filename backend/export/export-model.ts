/** A model as an ONNX file that any ONNX program can run, checked by running it. */
import { realpathSync } from 'node:fs';
import { runOnnxFile } from '../engine/onnxruntime/run-file.ts';
import { openDevice } from '../engine/open.ts';
import { writePiecesAtomic } from '../files/atomic.ts';
import { packageVersion } from '../files/package.ts';
import type { Graph } from '../graph/graph.ts';
import { lowerGraph } from '../graph/onnx/emit.ts';
import { modelPieces } from '../graph/onnx/proto.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { Model } from '../models/model-file.ts';
import { UserError } from '../protocol/errors.ts';
import { stream } from '../random/stream.ts';
import { inferenceGraph } from './inference-graph.ts';

export interface Exported {
  readonly bytes: number;
  /** Names and shapes, e.g. `z [1, 3, 32, 32], labels [1, 10]`. */
  readonly inputs: string;
  readonly outputs: string;
  /** Of the file's pixels from our own, the largest pixel, and what the difference may be. */
  readonly largestError: number;
  readonly largest: number;
  readonly tolerance: number;
  /** Whether the file, run on its own, computes the same pixels. */
  readonly ok: boolean;
}

/** The two runs differ in the order of their sums only; relative to the largest pixel. */
const tolerance = 1e-4;
/** What one protobuf message can hold. */
const largestFile = 2 ** 31;

/**
 * @param batch images per call, fixed in the file
 * @param onStage told what is being done
 * @throws UserError('weights') for a model that is too large, UserError('io')
 */
export async function exportModel(
  model: Model,
  file: string,
  batch: number,
  onStage: (stage: 'writing' | 'checking') => void = () => {},
): Promise<Exported> {
  refuseTooLarge(model);
  if (isSameFile(file, model.path)) {
    throw new UserError('usage', `${file} is the model itself`, 'Choose another name for the ONNX file.');
  }
  onStage('writing');
  const graph = inferenceGraph(model, batch);
  const lowered = lowerGraph(graph, { metadata: describe(model) });
  const { bytes } = await writePiecesAtomic(file, modelPieces(lowered));

  onStage('checking');
  const feeds = trialFeeds(model, graph, batch);
  const [actual] = (await runOnnxFile(file, feeds)).values();
  const { error, largest } = difference(actual, await ownPixels(graph, feeds));
  const signature = (part: Graph['inputs']) =>
    [...part].map(([key, { shape }]) => `${key} [${shape.join(', ')}]`).join(', ');
  return {
    bytes,
    inputs: signature(graph.inputs),
    outputs: signature(graph.outputs),
    largestError: error,
    largest,
    tolerance,
    ok: error <= tolerance * largest,
  };
}

function refuseTooLarge({ path, weights }: Model): void {
  const size = 4 * [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  if (size < largestFile) return;
  const message = `${path} has ${(size / 1e9).toFixed(1)} GB of weights; one ONNX file holds at most 2 GB`;
  throw new UserError('weights', message, 'A smaller network is needed.');
}

function isSameFile(file: string, other: string): boolean {
  try {
    return realpathSync(file) === realpathSync(other);
  } catch {
    return false; // one of them does not exist
  }
}

function describe({ network, role, generatorSigma, again, deterministic, sha256 }: Model): Record<string, string> {
  return {
    'dmd.network': JSON.stringify(network.config),
    'dmd.role': role,
    'dmd.generatorSigma': String(generatorSigma),
    ...(again.length > 0 ? { 'dmd.again': JSON.stringify(again) } : {}),
    ...(deterministic ? { 'dmd.noise': 'found' } : {}),
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
