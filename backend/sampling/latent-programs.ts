/** An autoencoder compiled: images to latents, images to what comes back of them, latents to images. On the host's arrays. */
import type { Engine, Feed, Program } from '../engine/engine.ts';
import { Graph, type Tensor } from '../graph/graph.ts';
import { mul } from '../graph/ops/index.ts';
import { byChunk, constantParameters, type ParameterSource, parameterInputs } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { type GaussianAutoencoder, latentShapeOf } from '../models/autoencoder.ts';

export interface LatentProgramOptions {
  readonly network: GaussianAutoencoder;
  /** Pixels per side. */
  readonly size: number;
  /** Images per call. */
  readonly batch: number;
  /** Weights that never change, by name; null when every call brings its own. */
  readonly weights: ReadonlyMap<string, TensorData> | null;
  /** What means are multiplied by to become latents, and latents divided by before they are decoded. */
  readonly scale: number;
}

const builders = {
  /** The latents that the images are drawn around. */
  encode: ({ network, scale }: LatentProgramOptions, source: ParameterSource, images: Tensor) =>
    mul(network.encode(source, images).mean, scale),
  decode: ({ network, scale }: LatentProgramOptions, source: ParameterSource, latents: Tensor) =>
    network.decode(source, mul(latents, 1 / scale)),
  /** There and back. */
  reconstruct: ({ network }: LatentProgramOptions, source: ParameterSource, images: Tensor) =>
    network.decode(source, network.encode(source, images).mean),
};

export class LatentProgram {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async create(
    engine: Engine,
    what: keyof typeof builders,
    options: LatentProgramOptions,
  ): Promise<LatentProgram> {
    const { network, weights, batch, size } = options;
    const graph = new Graph();
    const source = weights ? constantParameters(graph, weights) : parameterInputs(graph, 'parameters', network.layout);
    const shape = what === 'decode' ? latentShapeOf(network, size) : [network.imageChannels, size, size];
    graph.output('result', builders[what](options, source, graph.input('x', [batch, ...shape])));
    return new LatentProgram(await engine.compile(graph, { name: what }));
  }

  /** @param parameters flat, by chunk, when the program was made without weights */
  async run(x: TensorData, parameters: readonly Feed[] = []): Promise<TensorData> {
    const { result } = await this.#program.run({ x, ...byChunk('parameters', parameters) });
    const value = { shape: [...result.shape], data: (await result.read()).slice() };
    result.dispose();
    return value;
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}

/** Mean and standard deviation of numbers that come in parts. */
export class Spread {
  #count = 0;
  #sum = 0;
  #squares = 0;

  add(values: Float32Array): void {
    this.#count += values.length;
    for (const value of values) {
      this.#sum += value;
      this.#squares += value * value;
    }
  }

  get deviation(): number {
    const mean = this.#sum / this.#count;
    return Math.sqrt(Math.max(0, this.#squares / this.#count - mean * mean));
  }
}
