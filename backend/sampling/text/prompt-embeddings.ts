/** Prompts as the numbers that the UNet is conditioned on, computed once each and kept for the next request. */

import type { Build, HostNetwork } from '../../models/text/network-program.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import type { EncodedPrompt } from '../../text/index.ts';

/** An embedding of SD 1.5 is 236 kB. */
const mostKept = 256;

export class PromptEmbeddings {
  readonly #model: TextModel;
  readonly #network: HostNetwork;
  /** The one used last comes last. */
  readonly #kept = new Map<string, Float32Array>();

  /** @param network the text encoder; disposed of with this */
  constructor(model: TextModel, network: HostNetwork) {
    this.#model = model;
    this.#network = network;
  }

  async prepare(): Promise<void> {
    await this.#network.prepare('', this.#build);
  }

  /** [tokens, contextDim], flat; not to be written. */
  async of({ ids }: EncodedPrompt): Promise<Float32Array> {
    const key = ids.join();
    let embedding = this.#kept.get(key);
    this.#kept.delete(key);
    embedding ??= await this.#network.run('', this.#build, {
      ids: { shape: [1, ids.length], data: Float32Array.from(ids) },
    });
    this.#kept.set(key, embedding);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
    return embedding;
  }

  readonly #build: Build = (graph, source) => {
    const { textEncoder, tokenizer } = this.#model;
    return textEncoder.encode(source, graph.input('ids', [1, tokenizer.maxTokens]));
  };

  dispose(): Promise<void> {
    return this.#network.dispose();
  }
}
