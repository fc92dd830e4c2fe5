/**
 * Runs graphs op by op with TensorFlow.js: on a GPU through the optional package @tensorflow/tfjs-node-gpu, or in plain
 * JavaScript, slowly, as the oracle that the tests hold the other engines against.
 */
import type { Graph } from '../../graph/graph.ts';
import { portable } from '../../graph/onnx/capabilities.ts';
import { type HalfData, type TensorData, typeOf } from '../../graph/tensor-data.ts';
import type { Capabilities } from '../capabilities.ts';
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
  readonly crossings = null;
  readonly tf: Tf;
  readonly #backendName: string;
  readonly #programs = new Set<Program>();

  constructor(tf: Tf, backendName: string, device: string) {
    this.tf = tf;
    this.#backendName = backendName;
    this.device = device;
  }

  async activate(): Promise<void> {
    if (this.tf.getBackend() !== this.#backendName) await this.tf.setBackend(this.#backendName);
  }

  /** Graphs are not lowered here, so that what only lowering asks for stays at the least there is. */
  async capabilities(): Promise<Capabilities> {
    const onHost = this.#backendName === 'cpu';
    // Both number types can be fed, and are float32 on the device.
    return {
      ...portable,
      onHost,
      resident: !onHost,
      sharesConstants: false,
      holds: ['float32', 'float16'],
      computes: ['float32'],
    };
  }

  async compile(graph: Graph, { name = 'program' }: CompileOptions = {}): Promise<Program> {
    if (graph.outputs.size === 0) throw new Error('a graph without outputs computes nothing');
    await this.activate();
    const program = new TensorflowProgram(this, graph, name);
    this.#programs.add(program);
    return program;
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    return new TensorflowTensor(this.tf, fromHost(this.tf, value), typeOf(value));
  }

  async receive(shape: readonly number[], slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    await this.activate();
    return new TensorflowTensor(this.tf, await fromSlices(this.tf, shape, slices), 'float32');
  }

  forget(program: Program): void {
    this.#programs.delete(program);
  }

  async dispose(): Promise<void> {
    for (const program of [...this.#programs]) await program.dispose();
  }
}
