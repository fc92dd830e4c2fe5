/**
 * EDM's data sets: a folder or a zip of PNG images, in any subfolders, with labels in `dataset.json`.
 *
 * Images are numbered in the order of their names, read when asked for and never all kept: ImageNet does not fit in
 * memory. What is wrong with a file is said with its name, when it is read.
 */
import { tensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { checkIndices, type ImageDataset } from './dataset.ts';
import { type FileSource, openFileSource, reasonOf } from './file-source.ts';
import { type ImageLabels, readLabels } from './image-labels.ts';
import { decodePng } from './png.ts';

export interface ImageDatasetOptions {
  /** Whether to read the labels; true by default. A data set without labels has labelDim 0 either way. */
  readonly labelled?: boolean;
  /** Number of classes, where it is not one more than the largest class id. */
  readonly labelDim?: number;
  /** Use only the first so many images. */
  readonly count?: number;
}

const HINT = 'A data set is a folder or .zip of PNG images of one size, at most 8 bits, gray, RGB or with a palette.';

/** Opens a data set. Throws UserError (kind 'data') that names the file and the entry at fault. */
export async function openImageDataset(path: string, options: ImageDatasetOptions = {}): Promise<ImageDataset> {
  const source = await openFileSource(path);
  try {
    return await describe(source, options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function describe(source: FileSource, { labelled = true, labelDim, count }: ImageDatasetOptions) {
  const other = source.names.find((name) => /\.(jpe?g|webp|bmp|gif|tiff?)$/i.test(name));
  if (other !== undefined) throw new UserError('data', `${source.path}: ${other} is not a PNG`, HINT);
  const all = source.names.filter((name) => /\.png$/i.test(name));
  const names = all.slice(0, count);
  if (names.length === 0) throw new UserError('data', `${source.path} holds no PNG images`, HINT);
  const labels = labelled ? await readLabels(source, names, all, labelDim) : undefined;
  if (labelled && labelDim && !labels) {
    const hint = 'Add "labels": [["file name", class id], ...] to its dataset.json, or train without classes.';
    throw new UserError('data', `${source.path} has no labels, but ${labelDim} classes are asked for`, hint);
  }
  const shape = (await readImage(source, names[0]!)).shape as [number, number, number];
  return imageDataset(source, names, shape, labels);
}

function imageDataset(
  source: FileSource,
  names: readonly string[],
  shape: readonly [number, number, number],
  labels: ImageLabels | undefined,
): ImageDataset {
  const numbers = shape[0] * shape[1] * shape[2];
  const labelDim = labels?.labelDim ?? 0;
  return {
    count: names.length,
    shape,
    labelDim,
    names: source.isFolder ? [...names, ...(labels ? ['dataset.json'] : [])] : null,
    async batch(indices) {
      checkIndices(indices, names.length);
      const pixels = new Float32Array(indices.length * numbers);
      const rows = new Float32Array(indices.length * labelDim);
      const one = async (index: number, at: number) => {
        const image = await readImage(source, names[index]!);
        if (image.shape.join() !== shape.join()) {
          const sizes = `${layout(image.shape)}, the others ${layout(shape)}`;
          throw new UserError('data', `${source.path}: ${names[index]} is ${sizes}`, HINT);
        }
        pixels.set(image.data, at * numbers);
        labels?.write(index, rows.subarray(at * labelDim, (at + 1) * labelDim));
      };
      await Promise.all(indices.map(one));
      return {
        images: tensorData([indices.length, ...shape], pixels),
        labels: tensorData([indices.length, labelDim], rows),
      };
    },
    close: () => source.close(),
  };
}

/** "32 x 24, RGB" for [3, 24, 32]. */
function layout([channels, height, width]: readonly number[]): string {
  return `${width} x ${height}, ${channels === 1 ? 'gray' : 'RGB'}`;
}

async function readImage(source: FileSource, name: string) {
  try {
    return decodePng(await source.read(name));
  } catch (cause) {
    throw new UserError('data', `${source.path}: cannot read ${name}: ${reasonOf(cause)}`, HINT, { cause });
  }
}
