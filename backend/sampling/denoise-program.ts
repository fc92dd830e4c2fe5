/** A network compiled for sampling: the denoiser D(x; sigma) on the host's arrays, for samplers and previews. */
import type { Engine, Feed, Program } from '../engine/engine.ts';
import { inParts } from '../engine/sharing.ts';
import { Graph } from '../graph/graph.ts';
import { byChunk, parameterInputs } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { type Denoiser, labelInput } from '../models/denoiser.ts';
import { FrozenWeights, type PlacedWeights } from '../models/frozen-weights.ts';

export interface DenoiseOptions {
  readonly network: Denoiser;
  /** Images per call. */
  readonly batch: number;
  /** Weights that never change, by name; null when every call brings its own. */
  readonly weights: ReadonlyMap<string, TensorData> | null;
  /** Nobody else looks at the weights any more: large ones are then in memory once, and `weights` holds none of them afterwards. */
  readonly given?: boolean;
}

export class DenoiseProgram {
  readonly #program: Program;
  readonly #options: Pick<DenoiseOptions, 'network' | 'batch'>;
  readonly #frozen: FrozenWeights | null;

  private constructor(
    program: Program,
    options: Pick<DenoiseOptions, 'network' | 'batch'>,
    frozen: FrozenWeights | null,
  ) {
    this.#program = program;
    this.#options = options;
    this.#frozen = frozen;
  }

  static async create(engine: Engine, options: DenoiseOptions): Promise<DenoiseProgram> {
    const { network, batch, weights, given = false } = options;
    const { layout } = network;
    const frozen = weights && new FrozenWeights(engine, { layout, read: async () => weights, given });
    // Before compiling, so that what is given away is not there twice meanwhile.
    const placed = (await frozen?.placed()) ?? null;
    const { graph, sharing } = inParts({ network, batch, placed }, denoiseGraph);
    const program = await engine.compile(graph, { name: 'denoise', sharing });
    return new DenoiseProgram(program, { network, batch }, frozen);
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
      ...(await this.#frozen?.placed())?.feeds,
      x: { shape, data: x },
      sigma: { shape: [batch], data: new Float32Array(batch).fill(sigma) },
      ...(network.labelDim > 0 ? { labels } : {}),
      ...byChunk('parameters', parameters),
    });
    const values = (await denoised.read()).slice();
    denoised.dispose();
    return values;
  }

  async dispose(): Promise<void> {
    await this.#program.dispose();
    await this.#frozen?.dispose();
  }
}

interface Denoising extends Pick<DenoiseOptions, 'network' | 'batch'> {
  readonly placed: PlacedWeights | null;
}

function denoiseGraph({ network, batch, placed }: Denoising): Graph {
  const graph = new Graph();
  const source = placed?.source(graph) ?? parameterInputs(graph, 'parameters', network.layout);
  const x = graph.input('x', [batch, ...network.imageShape]);
  const sigma = graph.input('sigma', [batch]);
  graph.output('denoised', network.denoise(source, x, sigma, labelInput(graph, 'labels', batch, network)));
  return graph;
}
