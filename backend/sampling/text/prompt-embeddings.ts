/** Prompts as the numbers that the UNet is conditioned on, computed once each and kept for the next request. */

import type { Build, HostNetwork } from '../../models/text/network-program.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import type { EncodedPrompt } from '../../text/index.ts';

/** An embedding of SD 1.5 is 236 kB. */
const mostKept = 256;

/** What a text is to the picture. */
export type PromptRole = 'prompt' | 'negative';

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
    await this.#network.prepare(...this.#program(false));
    if (this.#model.clipSkip > 0) await this.#network.prepare(...this.#program(true));
  }

  /** [tokens, contextDim], flat; not to be written. */
  async of({ ids }: EncodedPrompt, role: PromptRole): Promise<Float32Array> {
    const skips = role === 'prompt' && this.#model.clipSkip > 0;
    const key = `${skips} ${ids.join()}`;
    let embedding = this.#kept.get(key);
    this.#kept.delete(key);
    embedding ??= await this.#network.run(...this.#program(skips), {
      ids: { shape: [1, ids.length], data: Float32Array.from(ids) },
    });
    this.#kept.set(key, embedding);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
    return embedding;
  }

  /** The whole encoder, or the one without the layers that a prompt leaves out. */
  #program(skips: boolean): [key: string, build: Build] {
    const { textEncoder, promptEncoder, tokenizer } = this.#model;
    const encoder = skips ? promptEncoder : textEncoder;
    return [
      skips ? 'skip' : '',
      (graph, source) => encoder.encode(source, graph.input('ids', [1, tokenizer.maxTokens])),
    ];
  }

  dispose(): Promise<void> {
    return this.#network.dispose();
  }
}
