/**
 * Text embeddings, computed once each: kept in memory as far as that is meant for them, and beyond that on disk, where a resumed
 * run finds them. The text encoder's batch is fixed, a smaller one is filled up with copies of its last prompt: the numbers of a
 * prompt depend neither on those that come with it nor on how many they are, and a resumed run gets the same bits.
 */
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { type Build, NetworkProgram } from '../../models/text/network-program.ts';
import type { TextTeacher } from '../../models/text/text-teacher.ts';
import { UserError } from '../../protocol/errors.ts';
import { EmbeddingStore } from './embedding-store.ts';

/** Text embeddings by the prompt's number. The same number always gives the same bits. */
export interface PromptEmbeddings {
  readonly count: number;
  /** Of the empty prompt, [1, L, D]. */
  readonly unconditional: TensorData;
  /** [n, L, D]. */
  embeddings(prompts: readonly number[]): Promise<TensorData>;
}

/** Prompts per call of the text encoder. */
export const encodedTogether = 8;
/** Prompts that are looked for before other work gets its turn. */
const lookedUpTogether = 512;

export interface TextEmbeddingsOptions {
  /** Bytes kept in memory; default: two thousand prompts of Stable Diffusion 1.5, all of the built-in model. */
  readonly memory?: number;
  /** Where those beyond that go, and the SHA-256 of the text encoder; left out, they are computed again. */
  readonly store?: { readonly folder: string; readonly sha256: string };
}

export interface EncodingOptions {
  /** Prompts that need no encoding any more, and all. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export class TextEmbeddings {
  readonly #teacher: TextTeacher;
  readonly #encoder: NetworkProgram;
  readonly #memory: number;
  readonly #openStore: (() => EmbeddingStore) | null;
  #store: EmbeddingStore | null = null;
  /** The oldest first. */
  readonly #kept = new Map<string, Float32Array>();

  /** Throws UserError('io') where the folder's embeddings cannot be read. */
  constructor(engine: Engine, teacher: TextTeacher, { memory = 512e6, store }: TextEmbeddingsOptions = {}) {
    this.#teacher = teacher;
    this.#memory = memory;
    const { textEncoder, openWeights } = teacher.model;
    const read = () => openWeights('text_encoder');
    this.#encoder = new NetworkProgram(engine, { name: 'text encoder', layout: textEncoder.layout, read });
    const identity = `${store?.sha256} ${engine.device} ${encodedTogether}`;
    const length = sizeOf(this.#shape);
    this.#openStore = store ? () => new EmbeddingStore({ folder: store.folder, identity, length }) : null;
    if (store && this.#openStore && fs.existsSync(store.folder)) this.#store = this.#openStore();
  }

  /** [n, L, D]. */
  async of(prompts: readonly string[]): Promise<TensorData> {
    const found = new Map<string, Float32Array>();
    const missing: string[] = [];
    for (const prompt of new Set(prompts)) {
      const known = this.#kept.get(prompt) ?? this.#store?.read(this.#ids(prompt));
      if (known) found.set(prompt, known);
      else missing.push(prompt);
    }
    for (const batch of parts(missing, encodedTogether)) {
      for (const [prompt, embedding] of await this.#encode(batch)) found.set(prompt, embedding);
    }
    const length = sizeOf(this.#shape);
    const data = new Float32Array(prompts.length * length);
    for (const [i, prompt] of prompts.entries()) data.set(found.get(prompt)!, i * length);
    return { shape: [prompts.length, ...this.#shape], data };
  }

  /** A list of prompts by number, with the empty one. */
  async listed(prompts: readonly string[]): Promise<PromptEmbeddings> {
    return {
      count: prompts.length,
      unconditional: await this.of(['']),
      embeddings: (numbers) => this.of(numbers.map((number) => prompts[number]!)),
    };
  }

  /** Encodes what is missing of a list. Throws UserError('cancelled'); what is encoded stays, as far as it is on disk. */
  async prepare(prompts: readonly string[], { onProgress, signal }: EncodingOptions): Promise<void> {
    const all = [...new Set(prompts)];
    let done = 0;
    const advance = (count: number) => {
      done += count;
      onProgress(done, all.length);
    };
    for (const some of parts(all, lookedUpTogether)) {
      await setImmediate();
      const missing = some.filter((prompt) => !this.#kept.has(prompt) && !this.#store?.has(this.#ids(prompt)));
      advance(some.length - missing.length);
      for (const batch of parts(missing, encodedTogether)) {
        if (signal.aborted) throw stopped(done, all.length);
        await this.#encode(batch);
        advance(batch.length);
      }
    }
  }

  async dispose(): Promise<void> {
    this.#store?.close();
    this.#store = null;
    await this.#encoder.dispose();
  }

  /** [L, D] */
  get #shape(): readonly [number, number] {
    return [this.#teacher.tokens, this.#teacher.network.contextDim];
  }

  #ids(prompt: string): readonly number[] {
    return this.#teacher.model.tokenizer.encode(prompt).ids;
  }

  /** At most `encodedTogether` prompts; they are kept, too. */
  async #encode(prompts: readonly string[]): Promise<[prompt: string, embedding: Float32Array][]> {
    const [tokens] = this.#shape;
    const shape = [encodedTogether, tokens];
    const ids = new Float32Array(sizeOf(shape));
    for (let row = 0; row < encodedTogether; row++) {
      ids.set(this.#ids(prompts[Math.min(row, prompts.length - 1)]!), row * tokens);
    }
    const { textEncoder } = this.#teacher.model;
    const build: Build = (graph, source) => textEncoder.encode(source, graph.input('ids', shape));
    const all = await this.#encoder.run('', build, { ids: { shape, data: ids } });
    const length = sizeOf(this.#shape);
    return prompts.map((prompt, i) => {
      const embedding = all.slice(i * length, (i + 1) * length);
      this.#keep(prompt, embedding);
      return [prompt, embedding];
    });
  }

  #keep(prompt: string, embedding: Float32Array): void {
    this.#kept.set(prompt, embedding);
    const [oldest] = this.#kept;
    if (!oldest || this.#kept.size * embedding.byteLength <= this.#memory) return;
    this.#store ??= this.#openStore?.() ?? null;
    const ids = this.#ids(oldest[0]);
    if (this.#store && !this.#store.has(ids)) this.#store.add(ids, oldest[1]);
    this.#kept.delete(oldest[0]);
  }
}

function* parts(prompts: readonly string[], size: number): Generator<readonly string[]> {
  for (let at = 0; at < prompts.length; at += size) yield prompts.slice(at, at + size);
}

function stopped(done: number, total: number): UserError {
  const hint = 'Resume the run to go on; what is on disk by now is not encoded again.';
  return new UserError('cancelled', `stopped at ${done} of ${total} prompts`, hint);
}
