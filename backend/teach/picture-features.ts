/**
 * What a feature network of a labelled data set learns from: its pictures in random order, moved by up to two pixels and, where
 * asked for, mirrored, so that a few epochs do not learn them by heart.
 */
import type { ImageDataset } from '../data/dataset.ts';
import { mirrored } from '../data/mirror.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';
import type { FeatureBatch, FeatureOptions } from './teach-features.ts';

const mostMoved = 2;

export interface PictureBatchOptions extends Pick<FeatureOptions, 'seed' | 'batch'> {
  readonly mirror: boolean;
  /** The pictures to learn from, by number. */
  readonly indices: readonly number[];
}

/** A batch for each step. */
export function pictureFeatureBatches(
  data: ImageDataset,
  { seed, batch, mirror, indices }: PictureBatchOptions,
): (step: number) => Promise<FeatureBatch> {
  return async (step) => {
    const random = stream(seed, 'features', 'data', step);
    const chosen = [...random.randint(0, indices.length, batch)].map((i) => indices[i]!);
    const { images, labels } = await data.batch(chosen);
    const moves = random.randint(-mostMoved, mostMoved + 1, 2 * batch);
    const flips = [...random.randint(0, 2, batch)].map((side) => side === 1);
    const moved = shifted(images, moves);
    return { images: mirror ? mirrored(moved, flips) : moved, labels };
  };
}

/** Picture i moved down by moves[2 i] and to the right by moves[2 i + 1] pixels; what comes in repeats the border. */
export function shifted({ shape, data }: TensorData, moves: ArrayLike<number>): TensorData {
  const [, channels, height, width] = shape as [number, number, number, number];
  const inside = (at: number, side: number) => Math.min(side - 1, Math.max(0, at));
  const out = new Float32Array(sizeOf(shape));
  for (let i = 0; i < out.length; i++) {
    const [plane, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    const picture = Math.floor(plane / channels);
    const [fromY, fromX] = [inside(y - moves[2 * picture]!, height), inside(x - moves[2 * picture + 1]!, width)];
    out[i] = data[(plane * height + fromY) * width + fromX]!;
  }
  return { shape, data: out };
}
