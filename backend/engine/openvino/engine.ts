/**
 * Runs graphs with OpenVINO, which the user has installed: forward programs for pictures, on Intel's and other processors, and on
 * Intel's graphics and neural units. A program is handed over as ONNX; its weights stay where they are in the host's memory, so
 * that they may be constants whatever their size.
 */
import type { Graph } from '../../graph/graph.ts';
import type { FusedOperator } from '../../graph/onnx/capabilities.ts';
import { lowerGraph } from '../../graph/onnx/emit.ts';
import { encodeModel, type OnnxInitializer } from '../../graph/onnx/proto.ts';
import { gather, type HalfData, type TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { type Capabilities, hostAttentionBytes } from '../capabilities.ts';
import type { CompileOptions, DeviceTensor, Engine, Program } from '../engine.ts';
import type { OpenVinoLibrary, Pointer } from './library.ts';
import { OpenVinoProgram } from './program.ts';
import type { OpenVinoTarget } from './targets.ts';
import { OpenVinoTensor } from './tensor.ts';

/** ONNX's external data, where the offset is an address in this process instead of one in a file. */
const inMemory = '*/_ORT_MEM_ADDR_/*';
/** What it computes at once: the others of ONNX Runtime's operators it knows too, but finds by itself where they are written out. */
const fused: readonly FusedOperator[] = ['GroupNormalization', 'InstanceNormalization', 'Gelu'];
/** Bytes from which on a constant is not copied into the model. */
const smallestShared = 1024;

/** Throws OpenVinoFailure. @param threads 0: as many as there are cores */
export function createOpenVinoEngine(library: OpenVinoLibrary, target: OpenVinoTarget, threads: number): Engine {
  return new OpenVinoEngine(library, target, threads);
}

class OpenVinoEngine implements Engine {
  readonly device: string;
  readonly crossings = null;
  readonly #library: OpenVinoLibrary;
  readonly #target: OpenVinoTarget;
  readonly #threads: number;
  readonly #core: Pointer;
  /** With the constants of each, which lie in the host's memory as long as the program is there. */
  readonly #programs = new Map<OpenVinoProgram, readonly OnnxInitializer[]>();

  constructor(library: OpenVinoLibrary, target: OpenVinoTarget, threads: number) {
    this.#library = library;
    this.#target = target;
    this.#threads = threads;
    this.#core = library.create('ov_core_create');
    const { device, precision } = target;
    const how = [
      ...(precision === 'bf16' ? ['bfloat16'] : []),
      ...(threads > 0 && device === 'CPU' ? [`${threads} threads`] : []),
    ];
    const which = device === 'CPU' ? 'openvino' : `openvino ${device}`;
    this.device = how.length > 0 ? `${which} (${how.join(', ')})` : which;
  }

  async capabilities(): Promise<Capabilities> {
    const onHost = this.#target.device === 'CPU';
    return {
      ...{ onHost, resident: false, holds: ['float32', 'float16'], computes: ['float32'], sharesConstants: true },
      ...{ fused, streamsAttention: false, attentionBytes: hostAttentionBytes() },
      ...{ largestBuffer: 2 ** 32, splitOutputs: 64, channelBlock: 0, shiftedWindows: false },
    };
  }

  async compile(graph: Graph, { name = 'program' }: CompileOptions = {}): Promise<Program> {
    const library = this.#library;
    const lowered = lowerGraph(graph, { capabilities: await this.capabilities() });
    const bytes = encodeModel({ ...lowered, initializers: lowered.initializers.map((each) => this.#shared(each)) });
    try {
      const model = library.create('ov_core_read_model_from_memory_buffer', this.#core, bytes, bytes.length, null);
      try {
        const program = await OpenVinoProgram.compile(library, {
          ...{ core: this.#core, model, device: this.#target.device, properties: this.#properties(), name, graph },
          read: new Set(lowered.nodes.flatMap(({ inputs }) => inputs)),
          forget: (made) => this.#programs.delete(made),
        });
        this.#programs.set(program, lowered.initializers);
        return program;
      } finally {
        library.release('model', model);
      }
    } catch (cause) {
      const { message } = cause as Error;
      throw new UserError('device', `${this.device} ${library.version} cannot run '${name}': ${message}`, '', {
        cause,
      });
    }
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    return new OpenVinoTensor(value.shape, 'halves' in value ? value.halves : value.data);
  }

  async receive(shape: readonly number[], slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    return new OpenVinoTensor(shape, await gather(shape, slices));
  }

  async dispose(): Promise<void> {
    for (const program of [...this.#programs.keys()]) await program.dispose();
    this.#library.release('core', this.#core);
  }

  #properties(): [key: string, value: string][] {
    const { device, precision } = this.#target;
    const pairs: [key: string, value: string][] = [['PERFORMANCE_HINT', 'LATENCY']];
    if (precision !== null) pairs.push(['INFERENCE_PRECISION_HINT', precision]);
    if (device === 'CPU' && this.#threads > 0) pairs.push(['INFERENCE_NUM_THREADS', String(this.#threads)]);
    return pairs;
  }

  #shared(initializer: OnnxInitializer): OnnxInitializer {
    const { data } = initializer;
    if (data.byteLength < smallestShared) return initializer;
    return { ...initializer, external: { location: inMemory, offset: Number(this.#library.koffi.address(data)) } };
  }
}
