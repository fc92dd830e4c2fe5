/**
 * Runs graphs op by op with TensorFlow.js: on a GPU through the optional package @tensorflow/tfjs-node-gpu, or in plain
 * JavaScript, slowly, as the oracle that the tests hold the other engines against.
 */
import type { Graph } from '../../graph/graph.ts';
import { halvesToFloats } from '../../graph/half.ts';
import type { HalfData, TensorData } from '../../graph/tensor-data.ts';
import type { CompileOptions, DeviceTensor, Engine, Program } from '../engine.ts';
import type { Tf } from './kernels/kernel.ts';
import { loadTensorflow, type TensorflowBackend } from './load.ts';
import { type ProgramHost, TensorflowProgram } from './program.ts';
import { fromHost, fromSlices, TensorflowTensor } from './tensor.ts';

export interface TensorflowOptions {
  /** `tfjs-node-gpu` needs that package; `cpu` needs tfjs-core and tfjs-backend-cpu. */
  backend: TensorflowBackend;
}

/** Loads TensorFlow.js. Throws UserError('device') that says what to install where it is missing. */
export async function createTensorflowEngine({ backend }: TensorflowOptions): Promise<Engine> {
  const { tf, backendName } = await loadTensorflow(backend);
  const device = backend === 'cpu' ? 'tensorflow (plain JavaScript)' : 'tensorflow (GPU)';
  return new TensorflowEngine(tf, backendName, device);
}

class TensorflowEngine implements Engine, ProgramHost {
  readonly device: string;
  readonly tf: Tf;
  private readonly backendName: string;
  private readonly programs = new Set<Program>();

  constructor(tf: Tf, backendName: string, device: string) {
    this.tf = tf;
    this.backendName = backendName;
    this.device = device;
  }

  async activate(): Promise<void> {
    if (this.tf.getBackend() !== this.backendName) await this.tf.setBackend(this.backendName);
  }

  async compile(graph: Graph, { name = 'program' }: CompileOptions = {}): Promise<Program> {
    if (graph.outputs.size === 0) throw new Error('a graph without outputs computes nothing');
    await this.activate();
    const program = new TensorflowProgram(this, graph, name);
    this.programs.add(program);
    return program;
  }

  /** TensorFlow.js has no float16: halves become float32 on the device. */
  upload(value: TensorData | HalfData): DeviceTensor {
    const { shape } = value;
    const data = 'halves' in value ? halvesToFloats(value.halves) : value.data;
    return new TensorflowTensor(this.tf, fromHost(this.tf, { shape, data }));
  }

  async receive(shape: readonly number[], slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    await this.activate();
    return new TensorflowTensor(this.tf, await fromSlices(this.tf, shape, slices));
  }

  forget(program: Program): void {
    this.programs.delete(program);
  }

  async dispose(): Promise<void> {
    for (const program of [...this.programs]) await program.dispose();
  }
}
