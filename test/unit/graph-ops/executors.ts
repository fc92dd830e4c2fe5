/** The executors that are held against each other, behind one call. */
import * as ort from 'onnxruntime-node';
import type { Engine } from '../../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../../backend/engine/onnxruntime/engine.ts';
import { createTensorflowEngine } from '../../../backend/engine/tensorflow/engine.ts';
import type { Graph } from '../../../backend/graph/graph.ts';
import { type LoweringCapabilities, portable } from '../../../backend/graph/onnx/capabilities.ts';
import { emitOnnx } from '../../../backend/graph/onnx/emit.ts';
import type { TensorData } from '../../../backend/graph/tensor-data.ts';

export type Feeds = Readonly<Record<string, TensorData>>;
export type Results = Record<string, Float32Array>;
export type Run = (feeds: Feeds) => Promise<Results>;

/** Compiles once, for several runs; `close` frees the program. */
export interface Executor {
  readonly name: string;
  prepare(graph: Graph): Promise<{ run: Run; close(): Promise<void> }>;
}

/** An engine as an executor: results are read and disposed. */
export function engineExecutor(name: string, engine: Engine): Executor {
  return {
    name,
    async prepare(graph) {
      const program = await engine.compile(graph, { name });
      const run: Run = async (feeds) => {
        const results: Results = {};
        for (const [key, tensor] of Object.entries(await program.run(feeds))) {
          results[key] = Float32Array.from(await tensor.read());
          tensor.dispose();
        }
        return results;
      };
      return { run, close: () => program.dispose() };
    },
  };
}

/** A model lowered for a device with the given capabilities, run on the CPU. */
function onnxExecutor(name: string, capabilities: LoweringCapabilities): Executor {
  return {
    name,
    prepare: async (graph) => prepared(emitOnnx(graph, { capabilities })),
  };
}

async function prepared(model: Uint8Array) {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const run: Run = async (feeds) => {
    const tensors = Object.entries(feeds).map(([key, { shape, data }]) => [
      key,
      new ort.Tensor('float32', data, shape),
    ]);
    const outputs = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, value.data as Float32Array]));
  };
  return { run, close: () => session.release() };
}

/** As the exported file has it: standard operators only. */
export const portableOnnx = onnxExecutor('portable ONNX', portable);
/** With so little memory that attention is cut along heads, along queries and, where there are many parts, without Split. */
export const onnxInParts = onnxExecutor('ONNX in parts', { ...portable, attentionBytes: 128, splitOutputs: 2 });

export const onnxRuntime = engineExecutor('ONNX Runtime', createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }));
/** The oracle. */
export const tensorflow = engineExecutor('TensorFlow.js', await createTensorflowEngine({ backend: 'cpu' }));
