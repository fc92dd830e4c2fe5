/** Pictures of prompts from the networks as they are during training: DDIM with guidance, on the trainer's own parameters. */
import { createVpSampler, guideDoubled } from '../diffusion/vp/index.ts';
import type { Engine, Feed, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { byChunk, type ParameterLayout, parameterInputs } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { predictFromIds, type TextConditioned } from './text-loss.ts';

export interface TextPreviewOptions {
  readonly networks: TextConditioned;
  readonly layout: ParameterLayout;
  /** Pictures at once. */
  readonly count: number;
  /** Content of scheduler_config.json. */
  readonly scheduler: object;
  readonly steps: number;
  readonly guidance: number;
}

export class TextPreview {
  readonly #program: Program;
  readonly #options: TextPreviewOptions;

  private constructor(program: Program, options: TextPreviewOptions) {
    this.#program = program;
    this.#options = options;
  }

  static async create(engine: Engine, options: TextPreviewOptions): Promise<TextPreview> {
    const { networks, layout, count } = options;
    const graph = new Graph();
    const source = parameterInputs(graph, 'parameters', layout);
    const doubled = 2 * count;
    const sample = graph.input('sample', [doubled, ...networks.unet.latentShape]);
    const timestep = graph.input('timestep', [doubled]);
    const ids = graph.input('ids', [doubled, networks.textEncoder.maxTokens]);
    graph.output('prediction', predictFromIds(networks, source, { sample, timestep, ids }));
    return new TextPreview(await engine.compile(graph, { name: 'text preview' }), options);
  }

  /**
   * @param noise [count, C, h, w] standard normal
   * @param ids [count, L]
   * @param emptyIds [L]
   * @returns latents of noise's shape; throws UserError('numeric') when the networks are not far enough to give any
   */
  async sample(
    noise: TensorData,
    ids: TensorData,
    emptyIds: Float32Array,
    parameters: readonly Feed[],
  ): Promise<TensorData> {
    const { count, scheduler, steps, guidance, networks } = this.#options;
    const doubled = 2 * count;
    const length = emptyIds.length;
    const both = new Float32Array(doubled * length);
    for (let i = 0; i < count; i++) both.set(emptyIds, i * length);
    both.set(ids.data, count * length);
    const shape = [doubled, ...networks.unet.latentShape];
    const latents = await createVpSampler(scheduler, 'ddim').sample(
      async (x, t) => {
        const twice = new Float32Array(sizeOf(shape));
        twice.set(x);
        twice.set(x, x.length);
        const { prediction } = await this.#program.run({
          ...byChunk('parameters', parameters),
          sample: { shape, data: twice },
          timestep: { shape: [doubled], data: new Float32Array(doubled).fill(t) },
          ids: { shape: [doubled, length], data: both },
        });
        const guided = guideDoubled(await prediction.read(), guidance);
        prediction.dispose();
        return guided;
      },
      noise.data,
      { steps },
    );
    return { shape: noise.shape, data: latents };
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}
