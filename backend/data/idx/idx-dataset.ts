/** Pictures and labels of IDX files as training reads them. They stay in memory as bytes: 47 MB for MNIST's 60,000. */
import { basename } from 'node:path';
import { tensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { checkIndices, type ImageDataset, type ImageDatasetOptions, oneHot } from '../dataset.ts';
import type { IdxFiles } from './find-idx.ts';
import { readIdx } from './idx-file.ts';

/** Throws UserError (kind 'data' or 'io') that names the file at fault. */
export async function openIdxDataset(
  { source, isFolder, images, labels }: IdxFiles,
  { labelled = true, labelDim: wantedDim, count: first }: ImageDatasetOptions = {},
): Promise<ImageDataset> {
  const pictures = await readPictures(images);
  const [there, height, width] = pictures.dims as [number, number, number];
  const count = first === undefined ? there : Math.min(first, there);
  if (labelled && wantedDim && labels === null) {
    const hint = 'Put them beside it under the name of the pictures with labels for images, or train without classes.';
    throw new UserError('data', `${source} has no labels, but ${wantedDim} classes are asked for`, hint);
  }
  const classes = labelled && labels !== null ? await readClasses(labels, images, there) : null;
  const labelDim = classes ? dimOf(classes, labels!, wantedDim) : 0;
  const numbers = height * width;
  return {
    count,
    shape: [1, height, width],
    labelDim,
    names: isFolder ? [basename(images), ...(classes ? [basename(labels!)] : [])] : null,
    ...(classes && !isFolder ? { labelsFile: labels! } : {}),
    async batch(indices) {
      checkIndices(indices, count);
      const pixels = new Float32Array(indices.length * numbers);
      for (const [i, index] of indices.entries()) {
        const from = pictures.bytes.subarray(index * numbers, (index + 1) * numbers);
        for (let k = 0; k < numbers; k++) pixels[i * numbers + k] = from[k]! / 127.5 - 1;
      }
      const own = classes ? indices.map((index) => classes[index]!) : [];
      return {
        images: tensorData([indices.length, 1, height, width], pixels),
        labels: classes ? oneHot(own, labelDim) : tensorData([indices.length, 0], new Float32Array(0)),
      };
    },
    async close() {},
  };
}

async function readPictures(file: string) {
  const pictures = await readIdx(file);
  if (pictures.dims.length === 1) {
    throw wrong(`${file} holds ${pictures.dims[0]} numbers where pictures should be: is it swapped with its labels?`);
  }
  if (pictures.dims.length !== 3 || pictures.dims.some((side) => side === 0)) {
    throw wrong(`${file} is ${pictures.dims.join(' x ')}; pictures are count x rows x columns`);
  }
  return pictures;
}

async function readClasses(file: string, images: string, count: number): Promise<Uint8Array> {
  const { dims, bytes } = await readIdx(file);
  if (dims.length !== 1) {
    throw wrong(`${file} is ${dims.join(' x ')} where labels should be: is it swapped with its pictures?`);
  }
  if (dims[0] === count) return bytes;
  throw wrong(`${images} has ${count} pictures and ${file} ${dims[0]} labels: they do not belong together`);
}

function dimOf(classes: Uint8Array, file: string, wanted: number | undefined): number {
  const largest = classes.reduce((a, b) => Math.max(a, b), 0);
  if (wanted === undefined || largest < wanted) return wanted ?? largest + 1;
  throw wrong(`${file} has a label ${largest}, but ${wanted} classes are asked for`);
}

function wrong(message: string): UserError {
  return new UserError('data', message, 'Copy both files again from where they come from.');
}
