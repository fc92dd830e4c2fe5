/** One-step samples from fixed noise and classes: the same grid at every recorded step. */

import type { Engine, Feed, Program } from '../../engine/engine.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { Network } from '../../nets/index.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { previewInputs } from '../../training/preview-inputs.ts';
import { generateGraph } from './distill-programs.ts';

export class GeneratorPreview {
  readonly #program: Program;
  readonly #network: Network;
  readonly #inputs: { z: TensorData; labels: TensorData };

  private constructor(program: Program, network: Network, inputs: { z: TensorData; labels: TensorData }) {
    this.#program = program;
    this.#network = network;
    this.#inputs = inputs;
  }

  static async create(engine: Engine, config: DistillConfig, network: Network): Promise<GeneratorPreview> {
    const { samples } = config.record;
    const program = await engine.compile(generateGraph(network, samples, config.generator.sigma), { name: 'samples' });
    return new GeneratorPreview(program, network, previewInputs(network, samples, config.seed));
  }

  /** @param parameters the generator's, flat. @returns images [samples, C, H, W] */
  async images(parameters: Feed): Promise<TensorData> {
    const { z, labels } = this.#inputs;
    const feeds: Record<string, Feed> = { generator: parameters, z };
    if (this.#network.labelDim > 0) feeds.labels = labels;
    const { x } = await this.#program.run(feeds);
    const data = (await x.read()).slice(0, sizeOf(z.shape));
    x.dispose();
    return { shape: z.shape, data };
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}
