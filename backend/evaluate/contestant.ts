/**
 * What `dmd eval` measures: a model with the way it is sampled. A kind of model has an opener of its own in
 * `contestants.ts`; the measuring knows only this interface.
 */
import type { SamplerName } from '../diffusion/vp/index.ts';
import type { Engine } from '../engine/engine.ts';
import type { TensorData } from '../graph/tensor-data.ts';

export interface PictureRequest {
  /** One picture per seed; the same seed and prompt give the same picture. */
  readonly seeds: readonly number[];
  /** One per seed, for a model that takes prompts; null for others. */
  readonly prompts: readonly string[] | null;
  readonly signal?: AbortSignal;
}

export interface Contestant {
  readonly name: string;
  /** Network calls per picture; a call with guidance counts once. */
  readonly calls: number;
  /** [C, H, W] of its pictures. */
  readonly imageShape: readonly [number, number, number];
  readonly takesPrompts: boolean;
  /** Classes it can be asked for, 0 for none. Picture i of a request shows class seeds[i] modulo this. */
  readonly classes: number;
  /** Many pictures, in whatever batches are fastest: [seeds, C, H, W] in [-1, 1]. */
  draw(request: PictureRequest): Promise<TensorData>;
  /** One picture the way a person asks for one: what its latency is measured on. */
  drawOne(seed: number, prompt: string | null): Promise<TensorData>;
  dispose(): Promise<void>;
}

export interface OpenOptions {
  readonly engine: Engine;
  /** Sampler steps; null for the model's own: 1 for a generator. */
  readonly steps: number | null;
  /** Of a text-to-image teacher; left out, the model's own. */
  readonly scheduler?: SamplerName;
  readonly guidance?: number;
}

/** Opens a model by name or path; null for a model that is not of the opener's kind. */
export type ContestantOpener = (name: string, options: OpenOptions) => Promise<Contestant | null>;
