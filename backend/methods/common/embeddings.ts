/**
 * Text embeddings, computed once and kept as far as memory allows. Every prompt is encoded by itself, so that its numbers do not
 * depend on which others come with it, and a resumed run gets the same bits.
 */

import type { Engine } from '../../engine/engine.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { type Build, NetworkProgram } from '../../models/text/network-program.ts';
import type { TextTeacher } from '../../models/text/text-teacher.ts';

/** Text embeddings by the prompt's number. The same number always gives the same bits. */
export interface PromptEmbeddings {
  readonly count: number;
  /** Of the empty prompt, [1, L, D]. */
  readonly unconditional: TensorData;
  /** [n, L, D]. */
  embeddings(prompts: readonly number[]): Promise<TensorData>;
}

/** Bytes; two thousand prompts of Stable Diffusion 1.5, all of the built-in model. */
const mostKept = 512e6;

export class TextEmbeddings {
  readonly #teacher: TextTeacher;
  readonly #encoder: NetworkProgram;
  readonly #kept = new Map<string, Float32Array>();

  constructor(engine: Engine, teacher: TextTeacher) {
    this.#teacher = teacher;
    const { textEncoder, readWeights } = teacher.model;
    const read = () => readWeights('text_encoder');
    this.#encoder = new NetworkProgram(engine, { name: 'text encoder', layout: textEncoder.layout, read });
  }

  /** [n, L, D]. */
  async of(prompts: readonly string[]): Promise<TensorData> {
    const { tokens, network } = this.#teacher;
    const shape = [prompts.length, tokens, network.contextDim];
    const numbers = tokens * network.contextDim;
    const data = new Float32Array(prompts.length * numbers);
    for (const [i, prompt] of prompts.entries()) data.set(await this.#one(prompt), i * numbers);
    return { shape, data };
  }

  /** A list of prompts by number, with the empty one. */
  async listed(prompts: readonly string[]): Promise<PromptEmbeddings> {
    return {
      count: prompts.length,
      unconditional: await this.of(['']),
      embeddings: (numbers) => this.of(numbers.map((number) => prompts[number]!)),
    };
  }

  async #one(prompt: string): Promise<Float32Array> {
    const known = this.#kept.get(prompt);
    if (known) return known;
    const { tokenizer, textEncoder } = this.#teacher.model;
    const { ids } = tokenizer.encode(prompt);
    const shape = [1, ids.length];
    const build: Build = (graph, source) => textEncoder.encode(source, graph.input('ids', shape));
    const embedding = await this.#encoder.run('', build, { ids: { shape, data: Float32Array.from(ids) } });
    this.#kept.set(prompt, embedding);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size * embedding.byteLength > mostKept) this.#kept.delete(oldest!);
    return embedding;
  }

  dispose(): Promise<void> {
    return this.#encoder.dispose();
  }
}
