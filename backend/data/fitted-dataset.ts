/** A data set whose pictures are made to fit when they are read. */
import type { ImageDataset } from './dataset.ts';
import { type Fit, fitted, type Shape } from './fit.ts';

/** The same data set with pictures of another shape, which must be possible. */
export function fittedDataset(dataset: ImageDataset, shape: Shape, fit: Fit): ImageDataset {
  if (dataset.shape.join() === shape.join()) return dataset;
  return {
    ...dataset,
    shape,
    async batch(indices) {
      const { images, labels } = await dataset.batch(indices);
      return { images: fitted(images, shape, fit), labels };
    },
  };
}
