/**
 * The training images of a text model as latents with the ids of their captions, all in memory: encoding costs once. Images
 * are encoded in blocks that always are the same, so that a resumed run has the same numbers to the bit.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { TensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import type { LatentProgram } from '../sampling/latent-programs.ts';

export interface PoolSource {
  readonly count: number;
  /** Images with captions; indices run from 0 to count - 1. */
  batch(indices: readonly number[]): { readonly images: TensorData; readonly captions: readonly string[] };
  /** Token ids of a caption [L]. */
  ids(caption: string): Float32Array;
}

export interface LatentPool {
  /** Latents [B, C, h, w] and ids [B, L]. */
  samples(indices: readonly number[]): { latents: TensorData; ids: TensorData };
}

export interface EncodeOptions {
  /** Images that the program encodes at once. */
  readonly block: number;
  /** Told how many are done. */
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

/** Throws UserError('cancelled') when the signal is aborted. */
export async function encodePool(
  source: PoolSource,
  program: LatentProgram,
  { block, onProgress, signal }: EncodeOptions,
): Promise<LatentPool> {
  const { count } = source;
  const latents = new Rows(count);
  const ids = new Rows(count);
  for (let start = 0; start < count; start += block) {
    await turn(); // a stop arrives now
    if (signal.aborted) throw new UserError('cancelled', `stopped after ${start} of ${count} images were encoded`);
    // The last block goes on from the beginning.
    const indices = Array.from({ length: block }, (_, i) => (start + i) % count);
    const { images, captions } = source.batch(indices);
    const encoded = await program.run(images);
    const own = Math.min(block, count - start);
    latents.fill(start, own, encoded);
    for (const [i, caption] of captions.slice(0, own).entries()) {
      const row = source.ids(caption);
      ids.fill(start + i, 1, { shape: [1, row.length], data: row });
    }
    onProgress(start + own);
  }
  return { samples: (indices) => ({ latents: latents.take(indices), ids: ids.take(indices) }) };
}

/** `count` tensors of one shape, which the first of them decides. */
class Rows {
  readonly #count: number;
  #shape: readonly number[] = [];
  #numbers = 0;
  #data = new Float32Array(0);

  constructor(count: number) {
    this.#count = count;
  }

  /** Puts the first `rows` of a batch at `start`. */
  fill(start: number, rows: number, { shape, data }: TensorData): void {
    if (this.#data.length === 0) {
      this.#shape = shape.slice(1);
      this.#numbers = data.length / shape[0];
      this.#data = new Float32Array(this.#count * this.#numbers);
    }
    this.#data.set(data.subarray(0, rows * this.#numbers), start * this.#numbers);
  }

  take(indices: readonly number[]): TensorData {
    const data = new Float32Array(indices.length * this.#numbers);
    for (const [i, index] of indices.entries()) {
      data.set(this.#data.subarray(index * this.#numbers, (index + 1) * this.#numbers), i * this.#numbers);
    }
    return { shape: [indices.length, ...this.#shape], data };
  }
}
