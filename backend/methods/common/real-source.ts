/** Real images as a run reads them, wherever they come from. */
import type { Engine } from '../../engine/engine.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { HostTensors, OpenConditions } from '../../models/conditions.ts';
import type { Inputs, InputWork } from '../../models/input-file.ts';
import type { ImageSource } from '../../models/training-images.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import type { DrawPoint } from '../../training/draws.ts';

/** What of a config says which they are. */
export interface RealConfig extends Pick<DistillConfig, 'seed' | 'labels'> {
  readonly data: ImageSource & { readonly mirror: boolean };
}

export interface RealBatch {
  /** [B, ...] as the generator's samples. */
  readonly x: TensorData;
  /** By the names of the model's conditions. */
  readonly conditions: HostTensors;
}

export interface RealImages {
  /** A pure function of the point, and of what they are for: to be told apart from generated ones, or to be given noise. */
  batch(at: DrawPoint, count: number, use: 'told' | 'given'): Promise<RealBatch>;
  dispose(): Promise<void>;
}

/** Opened and checked; nothing is computed before `open`. */
export interface RealSource {
  inputs(work: InputWork): Promise<Inputs>;
  /** @param batch images at a time. Disposing of what it gives closes the source too. */
  open(engine: Engine, conditions: OpenConditions, batch: number): Promise<RealImages>;
  close(): Promise<void>;
}

/** With replacement, a pure function of the point. Mirrored images follow the data set's own. */
export function drawnImages(
  { seed, data: { mirror } }: RealConfig,
  images: number,
  { step, micro, update }: DrawPoint,
  count: number,
  use: 'told' | 'given',
): { readonly indices: readonly number[]; readonly flip: readonly boolean[] } {
  const total = mirror ? 2 * images : images;
  const drawn = [...stream(seed, 'distill', 'real', use, step, micro, update).randint(0, total, count)];
  return { indices: drawn.map((index) => index % images), flip: drawn.map((index) => index >= images) };
}
