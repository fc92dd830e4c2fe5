/**
 * Labels of EDM's data sets: `dataset.json` holds {"labels": [[file name, label], ...]} or {"labels": null}, a label being a
 * class id or a vector of numbers.
 */
import { diskRefusal } from '../files/disk.ts';
import { UserError } from '../protocol/errors.ts';
import { type FileSource, reasonOf } from './file-source.ts';

export interface ImageLabels {
  /** Numbers per label; for class ids the number of classes. */
  readonly labelDim: number;
  /** Writes the label of image number `index` into a zeroed row of labelDim numbers. */
  write(index: number, row: Float32Array): void;
}

type Label = number | readonly number[];

/**
 * Reads and checks the labels of `images` (file names in order); undefined when the data set has none.
 * @param wantedDim number of classes to use instead of one more than the largest class id
 */
export async function readLabels(
  source: FileSource,
  images: readonly string[],
  wantedDim?: number,
): Promise<ImageLabels | undefined> {
  const file = `dataset.json of ${source.path}`;
  const fail = (message: string, hint: string) => new UserError('data', `${file}: ${message}`, hint);
  if (!source.names.includes('dataset.json')) return undefined;
  const pairs = labelPairs(await parse(source, file, fail), fail);
  if (pairs === undefined) return undefined;

  const byName = new Map(pairs.map(([name, label]) => [name.replaceAll('\\', '/'), label]));
  const labels = images.map((name) => {
    const label = byName.get(name);
    if (label !== undefined) return label;
    throw fail(`no label for ${name}`, 'Every image needs an entry ["file name", label], or set "labels" to null.');
  });
  return typeof labels[0] === 'number' ? classIds(labels, images, wantedDim, fail) : vectors(labels, images, fail);
}

type Fail = (message: string, hint: string) => UserError;
const FORMAT_HINT = 'It should hold {"labels": [["file name", class id], ...]} or {"labels": null}.';

async function parse(source: FileSource, file: string, fail: Fail): Promise<unknown> {
  try {
    return JSON.parse((await source.read('dataset.json')).toString('utf8'));
  } catch (cause) {
    throw diskRefusal(cause, 'read', file) ?? fail(`cannot be read: ${reasonOf(cause)}`, FORMAT_HINT);
  }
}

function labelPairs(content: unknown, fail: Fail): [string, Label][] | undefined {
  const labels = typeof content === 'object' && content !== null && 'labels' in content ? content.labels : undefined;
  if (labels === null || labels === undefined) return undefined;
  if (!Array.isArray(labels)) throw fail('"labels" is not a list', FORMAT_HINT);
  for (const [i, entry] of labels.entries()) {
    const [name, label]: unknown[] = Array.isArray(entry) ? entry : [];
    const isLabel = typeof label === 'number' || (Array.isArray(label) && label.every((v) => typeof v === 'number'));
    if (typeof name !== 'string' || !isLabel) throw fail(`labels[${i}] is not a pair of name and label`, FORMAT_HINT);
  }
  return labels;
}

function classIds(labels: readonly Label[], images: readonly string[], wantedDim: number | undefined, fail: Fail) {
  let largest = 0;
  for (const [i, label] of labels.entries()) {
    if (typeof label !== 'number' || !Number.isInteger(label) || label < 0) {
      throw fail(`the label of ${images[i]} is ${JSON.stringify(label)}`, 'Class ids are whole numbers from 0.');
    }
    if (wantedDim !== undefined && label >= wantedDim) {
      const hint = `Class ids run from 0 to ${wantedDim - 1}: correct the label or the number of classes.`;
      throw fail(`the label of ${images[i]} is ${label}, out of range for ${wantedDim} classes`, hint);
    }
    largest = Math.max(largest, label);
  }
  const ids = Int32Array.from(labels as readonly number[]);
  return {
    labelDim: wantedDim ?? largest + 1,
    write(index: number, row: Float32Array) {
      row[ids[index]!] = 1;
    },
  };
}

function vectors(labels: readonly Label[], images: readonly string[], fail: Fail) {
  const first = labels[0];
  const labelDim = Array.isArray(first) ? first.length : 0;
  for (const [i, label] of labels.entries()) {
    if (Array.isArray(label) && label.length === labelDim) continue;
    throw fail(`the label of ${images[i]} is not a list of ${labelDim} numbers`, 'All labels need the same length.');
  }
  return {
    labelDim,
    write(index: number, row: Float32Array) {
      row.set(labels[index] as readonly number[]);
    },
  };
}
