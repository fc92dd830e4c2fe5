/** A network compiled for sampling: the denoiser D(x; sigma) on the host's arrays, for samplers and previews. */
import type { Engine, Feed, Program } from '../engine/engine.ts';
import { inParts } from '../engine/sharing.ts';
import { Graph } from '../graph/graph.ts';
import { byChunk, constantParameters, parameterInputs } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { type Denoiser, labelInput } from '../models/denoiser.ts';

export interface DenoiseOptions {
  readonly network: Denoiser;
  /** Images per call. */
  readonly batch: number;
  /** Weights that never change, by name; null when every call brings its own. */
  readonly weights: ReadonlyMap<string, TensorData> | null;
}

export class DenoiseProgram {
  readonly #program: Program;
  readonly #options: DenoiseOptions;

  private constructor(program: Program, options: DenoiseOptions) {
    this.#program = program;
    this.#options = options;
  }

  static async create(engine: Engine, options: DenoiseOptions): Promise<DenoiseProgram> {
    const { graph, sharing } = inParts(options, denoiseGraph);
    return new DenoiseProgram(await engine.compile(graph, { name: 'denoise', sharing }), options);
  }

  /**
   * @param x [batch, ...imageShape], flat
   * @param labels [batch, labelDim]; not looked at for an unconditional network
   * @param parameters flat, by chunk, when the program was made without weights
   */
  async denoise(
    x: Float32Array,
    sigma: number,
    labels: TensorData,
    parameters: readonly Feed[] = [],
  ): Promise<Float32Array> {
    const { network, batch } = this.#options;
    const shape = [batch, ...network.imageShape];
    if (x.length !== sizeOf(shape)) throw new Error(`x holds ${x.length} numbers, not [${shape.join(', ')}]`);
    const { denoised } = await this.#program.run({
      x: { shape, data: x },
      sigma: { shape: [batch], data: new Float32Array(batch).fill(sigma) },
      ...(network.labelDim > 0 ? { labels } : {}),
      ...byChunk('parameters', parameters),
    });
    const values = (await denoised.read()).slice();
    denoised.dispose();
    return values;
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}

function denoiseGraph({ network, batch, weights }: DenoiseOptions): Graph {
  const graph = new Graph();
  const source = weights ? constantParameters(graph, weights) : parameterInputs(graph, 'parameters', network.layout);
  const x = graph.input('x', [batch, ...network.imageShape]);
  const sigma = graph.input('sigma', [batch]);
  graph.output('denoised', network.denoise(source, x, sigma, labelInput(graph, 'labels', batch, network)));
  return graph;
}
