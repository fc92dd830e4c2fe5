/**
 * EDM's data sets: a folder or a zip of PNG images, in any subfolders, with labels in `dataset.json`.
 *
 * Images are numbered in the order of their names, read when asked for and never all kept: ImageNet does not fit in
 * memory. Every header is read when the data set is opened, so that an image of another size does not wait for its turn in
 * a long run; what else is wrong with a file is said, with its name, when it is read.
 */
import { diskRefusal } from '../files/disk.ts';
import { tensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { checkIndices, type ImageDataset, type ImageDatasetOptions } from './dataset.ts';
import { type FileSource, openFileSource, reasonOf } from './file-source.ts';
import { type ImageLabels, readLabels } from './image-labels.ts';
import { decodePng, headerBytes, pngShape } from './png.ts';

const HINT =
  'A data set is a folder or .zip of PNG images of one size, at most 8 bits, gray, RGB or with a palette: dmd data pack ' +
  'makes one of other pictures.';

/** Headers that are read at a time. */
const headersAtOnce = 32;

/** Opens a data set. Throws UserError (kind 'data') that names the file and the entry at fault. */
export async function openEdmDataset(path: string, options: ImageDatasetOptions = {}): Promise<ImageDataset> {
  const source = await openFileSource(path);
  try {
    return await describe(source, options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function describe(source: FileSource, { labelled = true, labelDim, count }: ImageDatasetOptions) {
  const other = source.names.find((name) =>
    /\.(jpe?g|jfif|webp|bmp|gif|tiff?|avif|hei[cf]|jp2|jxl|p[bgnp]m|tga|psd|exr)$/i.test(name),
  );
  if (other !== undefined) throw new UserError('data', `${source.path}: ${other} is not a PNG`, HINT);
  const all = source.names.filter((name) => /\.png$/i.test(name));
  const names = all.slice(0, count);
  if (names.length === 0) throw new UserError('data', `${source.path} holds no PNG images`, HINT);
  const labels = labelled ? await readLabels(source, names, all, labelDim) : undefined;
  if (labelled && labelDim && !labels) {
    const hint =
      'Add "labels": [["file name", class id], ...] to its dataset.json (dmd data pack makes them of folder names), or ' +
      'train without classes.';
    throw new UserError('data', `${source.path} has no labels, but ${labelDim} classes are asked for`, hint);
  }
  const shape = await shapeOfAll(source, names);
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
    names: source.isFolder ? [...names, ...(labels ? [labels.file] : [])] : null,
    async batch(indices) {
      checkIndices(indices, names.length);
      const pixels = new Float32Array(indices.length * numbers);
      const rows = new Float32Array(indices.length * labelDim);
      const one = async (index: number, at: number) => {
        const image = await naming(source, names[index]!, async (name) => decodePng(await source.read(name)));
        requireShape(source, names[index]!, image.shape, shape);
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

/** [C, H, W] of every image. */
async function shapeOfAll(source: FileSource, names: readonly string[]): Promise<[number, number, number]> {
  const shapeOf = (name: string) =>
    naming(source, name, async () => pngShape(await source.readStart(name, headerBytes)));
  const shape = await shapeOf(names[0]!);
  for (let at = 1; at < names.length; at += headersAtOnce) {
    const some = names.slice(at, at + headersAtOnce);
    const shapes = await Promise.all(some.map(shapeOf));
    for (const [i, name] of some.entries()) requireShape(source, name, shapes[i]!, shape);
  }
  return shape;
}

function requireShape(source: FileSource, name: string, found: readonly number[], shape: readonly number[]): void {
  if (found.join() === shape.join()) return;
  throw new UserError('data', `${source.path}: ${name} is ${layout(found)}, the others ${layout(shape)}`, HINT);
}

async function naming<T>(source: FileSource, name: string, read: (name: string) => Promise<T>): Promise<T> {
  try {
    return await read(name);
  } catch (cause) {
    throw (
      diskRefusal(cause, 'read', `${source.path}/${name}`) ??
      new UserError('data', `${source.path}: cannot read ${name}: ${reasonOf(cause)}`, HINT, { cause })
    );
  }
}
