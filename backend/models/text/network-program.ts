/** One network of a text-to-image model on a device, compiled once per shape. */
import { type Engine, type Program, RunEnded } from '../../engine/engine.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import type { ParameterLayout, ParameterSource } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import type { ArraySource } from '../../weights/array-source.ts';
import { FrozenWeights } from '../frozen-weights.ts';

export interface NetworkOptions {
  /** For errors. */
  readonly name: string;
  readonly layout: ParameterLayout;
  readonly read: () => Promise<ReadonlyMap<string, ArraySource>>;
  /** Weights are inputs whatever their size: one copy in memory. Default: as `FrozenWeights` has it. */
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
  readonly #name: string;
  readonly #weights: FrozenWeights;
  readonly #programs = new Map<string, Promise<Program>>();

  constructor(engine: Engine, { name, ...weights }: NetworkOptions) {
    this.#engine = engine;
    this.#name = name;
    this.#weights = new FrozenWeights(engine, { ...weights, given: false });
  }

  async prepare(shape: string, build: Build): Promise<void> {
    await Promise.all([this.#program(shape, build), this.#weights.placed()]);
  }

  async run(
    shape: string,
    build: Build,
    feeds: Readonly<Record<string, TensorData>>,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const program = await this.#program(shape, build);
    const { feeds: weights } = await this.#weights.placed();
    const { result } = await program.run({ ...weights, ...feeds }, { signal }).catch((error: unknown) => {
      throw error instanceof RunEnded ? new UserError('cancelled', 'Sampling was stopped.') : error;
    });
    const values = (await result!.read()).slice();
    result!.dispose();
    return values;
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
    const source = await this.#weights.source();
    graph.output('result', build(graph, source(graph)));
    return this.#engine.compile(graph, { name: this.#name });
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await program.then((made) => made.dispose()).catch(() => {});
    this.#programs.clear();
    await this.#weights.dispose();
  }
}
