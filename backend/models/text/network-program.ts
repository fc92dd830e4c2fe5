/**
 * One network of a text-to-image model on a device, compiled once per shape. Its weights are constants of the graph while
 * they are small (the runtime arranges them once more, which makes calls a little faster), inputs above that: ready much
 * sooner, in memory once however many shapes are compiled, and an ONNX model holds at most 2 GB anyway.
 */
import { type DeviceTensor, type Engine, type Program, RunEnded } from '../../engine/engine.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { constantParameters, type ParameterLayout, type ParameterSource } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';

/** Bytes of float32 weights up to which they are constants, and kept by the host for the next shape. */
export const largestConstants = 2.5e8;

export interface NetworkOptions {
  /** For errors. */
  readonly name: string;
  readonly layout: ParameterLayout;
  readonly read: () => Promise<Map<string, TensorData>>;
  /** Inputs whatever their size: one copy in memory, somewhat slower. Default: above `largestConstants`, where a device copies them. */
  readonly asInputs?: boolean;
}

/** Declares inputs, calls the network and returns its result. */
export type Build = (graph: Graph, source: ParameterSource) => Tensor;

/** A network as a call on the host's arrays. */
export interface HostNetwork {
  /** Makes it ready for a shape, unless that was done already. */
  prepare(shape: string, build: Build): Promise<void>;
  /** One call; the result is on the host. Throws UserError('cancelled') where the signal is aborted and the engine could end it. */
  run(
    shape: string,
    build: Build,
    feeds: Readonly<Record<string, TensorData>>,
    signal?: AbortSignal,
  ): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export class NetworkProgram implements HostNetwork {
  readonly #engine: Engine;
  readonly #options: NetworkOptions;
  readonly #programs = new Map<string, Promise<Program>>();
  #weights: Promise<Map<string, TensorData>> | null = null;
  #uploaded: Promise<Record<string, DeviceTensor>> | null = null;

  constructor(engine: Engine, options: NetworkOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  async prepare(shape: string, build: Build): Promise<void> {
    if (await this.#asInputs()) await this.#upload();
    await this.#program(shape, build);
  }

  async run(
    shape: string,
    build: Build,
    feeds: Readonly<Record<string, TensorData>>,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const program = await this.#program(shape, build);
    const weights = (await this.#asInputs()) ? await this.#upload() : {};
    const { result } = await program.run({ ...weights, ...feeds }, { signal }).catch((error: unknown) => {
      throw error instanceof RunEnded ? new UserError('cancelled', 'Sampling was stopped.') : error;
    });
    const values = (await result!.read()).slice();
    result!.dispose();
    return values;
  }

  async #asInputs(): Promise<boolean> {
    const { asInputs, layout } = this.#options;
    return asInputs ?? (4 * layout.size > largestConstants && !(await this.#engine.capabilities()).sharesConstants);
  }

  #program(shape: string, build: Build): Promise<Program> {
    let program = this.#programs.get(shape);
    if (!program) {
      program = this.#compile(build);
      this.#programs.set(shape, program);
      // One that failed, for lack of memory perhaps, may be tried again.
      program.catch(() => this.#programs.delete(shape));
    }
    return program;
  }

  async #compile(build: Build): Promise<Program> {
    const graph = new Graph();
    const source = (await this.#asInputs()) ? inputParameters(graph) : constantParameters(graph, await this.#read());
    graph.output('result', build(graph, source));
    return this.#engine.compile(graph, { name: this.#options.name });
  }

  #read(): Promise<Map<string, TensorData>> {
    this.#weights ??= this.#options.read();
    this.#weights.catch(() => {
      this.#weights = null;
    });
    return this.#weights;
  }

  #upload(): Promise<Record<string, DeviceTensor>> {
    this.#uploaded ??= this.#options.read().then((weights) => {
      const uploaded: Record<string, DeviceTensor> = {};
      for (const [name, value] of weights) uploaded[parameterInput(name)] = this.#engine.upload(value);
      return uploaded;
    });
    this.#uploaded.catch(() => {
      this.#uploaded = null;
    });
    return this.#uploaded;
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await program.then((made) => made.dispose()).catch(() => {});
    this.#programs.clear();
    const uploaded = await this.#uploaded?.catch(() => null);
    for (const tensor of Object.values(uploaded ?? {})) tensor.dispose();
    this.#uploaded = null;
    this.#weights = null;
  }
}

/** Parameters as inputs of the graph, each declared when it is first asked for. */
function inputParameters(graph: Graph): ParameterSource {
  const made = new Map<string, Tensor>();
  return {
    graph,
    get(name, shape) {
      let tensor = made.get(name);
      if (!tensor) {
        tensor = graph.input(parameterInput(name), shape);
        made.set(name, tensor);
      }
      return tensor;
    },
  };
}

/** No parameter shall have the name of another input. */
const parameterInput = (name: string) => `weights/${name}`;
