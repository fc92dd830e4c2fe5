/** Opens a data set of any format that is read here: EDM's folders and zips of PNG images, or IDX files. */
import { UserError } from '../protocol/errors.ts';
import type { ImageDataset, ImageDatasetOptions } from './dataset.ts';
import { openEdmDataset } from './edm-dataset.ts';
import { fitProblem } from './fit.ts';
import { fittedDataset } from './fitted-dataset.ts';
import { findIdx } from './idx/find-idx.ts';
import { openIdxDataset } from './idx/idx-dataset.ts';

export type { ImageDatasetOptions };

/** Throws UserError (kind 'data') that names the file and the entry at fault. */
export async function openImageDataset(path: string, options: ImageDatasetOptions = {}): Promise<ImageDataset> {
  const idx = await findIdx(path);
  const dataset = await (idx ? openIdxDataset(idx, options) : openEdmDataset(path, options));
  const { fit } = options;
  if (!fit) return dataset;
  const problem = fitProblem(dataset.shape, fit.shape, fit.how);
  if (problem === '') return fittedDataset(dataset, fit.shape, fit.how);
  await dataset.close();
  throw new UserError('data', `${path}: ${problem}`, 'Resize them, or choose a network of another size.');
}
