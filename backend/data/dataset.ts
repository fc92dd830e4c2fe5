/** What training reads: numbered images with class labels, wherever they come from. */
import type { TensorData } from '../graph/tensor-data.ts';
import { tensorData } from '../graph/tensor-data.ts';
import type { Fit, Shape } from './fit.ts';

export interface ImageDataset {
  /** How many images there are; indices run from 0 to count - 1. */
  readonly count: number;
  /** [C, H, W] of every image. */
  readonly shape: readonly [number, number, number];
  /** Number of classes; 0 when the data set has no labels. */
  readonly labelDim: number;
  /** What it reads of its folder, relative to it; null where it is a single file, or draws its images. */
  readonly names: readonly string[] | null;
  /** The file of its labels, where that lies beside its source rather than in it. */
  readonly labelsFile?: string;
  /** The given images [B, C, H, W] in [-1, 1] and their one-hot labels [B, labelDim]. Indices may repeat. */
  batch(indices: readonly number[]): Promise<{ images: TensorData; labels: TensorData }>;
  /** Releases files; the data set cannot be used afterwards. */
  close(): Promise<void>;
}

export interface ImageDatasetOptions {
  /** Whether to read the labels; true by default. A data set without labels has labelDim 0 either way. */
  readonly labelled?: boolean;
  /** Number of classes, where it is not one more than the largest class id. */
  readonly labelDim?: number;
  /** Use only the first so many images. */
  readonly count?: number;
  /** Makes the pictures those of a shape; without it they are as they are. */
  readonly fit?: { readonly how: Fit; readonly shape: Shape };
}

/** One-hot rows [B, labelDim]; [B, 0] when labelDim is 0. */
export function oneHot(classes: ArrayLike<number>, labelDim: number): TensorData {
  const data = new Float32Array(classes.length * labelDim);
  for (let i = 0; i < classes.length && labelDim > 0; i++) {
    const id = classes[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= labelDim) throw new Error(`class ${id} of ${labelDim}`);
    data[i * labelDim + id] = 1;
  }
  return tensorData([classes.length, labelDim], data);
}

/** Throws when an index is not one of the data set's: a bug of the caller. */
export function checkIndices(indices: readonly number[], count: number): void {
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= count) throw new Error(`index ${index} of ${count} images`);
  }
}
