/** "scenes" as an ImageDataset: nothing on disk, every image drawn when asked for. */
import { checkIndices, type ImageDataset, oneHot } from '../dataset.ts';
import { sceneBatch } from './scene.ts';
import { shapes } from './shapes.ts';

export interface SceneDatasetOptions {
  /** Names the data set; another seed is a held-out set from the same distribution. */
  readonly seed: number;
  /** How many scenes; the stream of scenes itself has no end. */
  readonly count: number;
  /** Pixels per side, 32 by default. */
  readonly size?: number;
  /** Whether the shape's class is given as a label; true by default. */
  readonly labelled?: boolean;
}

export function sceneDataset({ seed, count, size = 32, labelled = true }: SceneDatasetOptions): ImageDataset {
  const labelDim = labelled ? shapes.length : 0;
  return {
    count,
    shape: [3, size, size],
    labelDim,
    names: null,
    async batch(indices) {
      checkIndices(indices, count);
      const { images, classes } = sceneBatch(seed, indices, size);
      return { images, labels: oneHot(classes, labelDim) };
    },
    async close() {},
  };
}
