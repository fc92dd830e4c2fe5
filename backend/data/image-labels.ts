/**
 * Labels of EDM's data sets: `dataset.json` holds {"labels": [[file name, label], ...]} or {"labels": null}, a label being a
 * class id or a vector of numbers. Where the data set was packed with the folder around it, names are relative to that folder.
 */
import { decodeText } from '../files/decode-text.ts';
import { diskRefusal } from '../files/disk.ts';
import { UserError } from '../protocol/errors.ts';
import { parseJson } from '../protocol/json.ts';
import { type FileSource, reasonOf } from './file-source.ts';
import { isJunk } from './walk-folder.ts';

export interface ImageLabels {
  /** Name of their file in the data set. */
  readonly file: string;
  /** Numbers per label; for class ids the number of classes. */
  readonly labelDim: number;
  /** Writes the label of image number `index` into a zeroed row of labelDim numbers. */
  write(index: number, row: Float32Array): void;
}

type Label = number | readonly number[];

/**
 * Reads and checks the labels of `images` (file names in order); undefined when the data set has none.
 * @param all file names of all images, of which some may not be used
 * @param wantedDim number of classes to use instead of one more than the largest class id
 */
export async function readLabels(
  source: FileSource,
  images: readonly string[],
  all: readonly string[],
  wantedDim?: number,
): Promise<ImageLabels | undefined> {
  const name = labelsFile(source);
  if (name === undefined) return undefined;
  const file = `${name} of ${source.path}`;
  const fail = (message: string, hint: string) => new UserError('data', `${file}: ${message}`, hint);
  const pairs = labelPairs(await parse(source, name, file, fail), fail);
  if (pairs === undefined) return undefined;

  const there = new Set(all.map(plain));
  const beside = name.slice(0, -labelsName.length);
  const folder = pairs.some(([labelled]) => there.has(plain(beside + labelled))) ? beside : '';
  const byName = new Map<string, Label>();
  for (const [labelled, label] of pairs) {
    const image = plain(folder + labelled);
    const before = byName.get(image);
    if (before !== undefined && String(before) !== String(label)) {
      throw fail(`has two labels for ${labelled}, ${before} and ${label}`, 'Leave one of them.');
    }
    byName.set(image, label);
  }
  const missing = [...byName.keys()].filter((labelled) => !there.has(labelled) && !isJunk(labelled));
  if (missing.length > 0) {
    const hint = 'Copy the data set again if it is not whole, or take their labels out.';
    throw fail(`names ${missing.length} images that are not there, first ${missing[0]}`, hint);
  }
  const labels = images.map((image) => {
    const label = byName.get(plain(image));
    if (label !== undefined) return label;
    throw fail(`no label for ${image}`, 'Every image needs an entry ["file name", label], or set "labels" to null.');
  });
  const read =
    typeof labels[0] === 'number' ? classIds(labels, images, wantedDim, fail) : vectors(labels, images, fail);
  return { file: name, ...read };
}

type Fail = (message: string, hint: string) => UserError;
const FORMAT_HINT = 'It should hold {"labels": [["file name", class id], ...]} or {"labels": null}.';

const labelsName = 'dataset.json';

/** The one that lies highest. Throws UserError('data') for two as high. */
function labelsFile({ names, path }: FileSource): string | undefined {
  const depth = (name: string) => name.split('/').length;
  const found = names.filter((name) => name.split('/').at(-1)!.toLowerCase() === labelsName);
  const [first, second] = found.sort((a, b) => depth(a) - depth(b));
  if (first === undefined || second === undefined || depth(first) < depth(second)) return first;
  const hint = 'Give one of the data sets in it alone.';
  throw new UserError('data', `${path} holds several data sets: it has ${first} and ${second}`, hint);
}

/** Some systems write an accented letter as two characters, and Windows has another slash. */
const plain = (name: string) =>
  name
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '')
    .normalize('NFC');

async function parse(source: FileSource, name: string, file: string, fail: Fail): Promise<unknown> {
  try {
    return parseJson(decodeText(await source.read(name), name));
  } catch (cause) {
    throw diskRefusal(cause, 'read', file) ?? fail(`cannot be read: ${reasonOf(cause)}`, FORMAT_HINT);
  }
}

function labelPairs(content: unknown, fail: Fail): [string, Label][] | undefined {
  if (typeof content !== 'object' || content === null || !('labels' in content)) {
    throw fail('it has no "labels"', FORMAT_HINT);
  }
  const { labels } = content;
  if (labels === null) return undefined;
  if (!Array.isArray(labels)) throw fail('"labels" is not a list', FORMAT_HINT);
  for (const [i, entry] of labels.entries()) {
    const [name, label]: unknown[] = Array.isArray(entry) ? entry : [];
    const isLabel = typeof label === 'number' || (Array.isArray(label) && label.every((v) => typeof v === 'number'));
    if (typeof name !== 'string' || !isLabel) throw fail(`labels[${i}] is not a pair of name and label`, FORMAT_HINT);
  }
  return labels;
}

/** ImageNet has 21 thousand; a row of numbers for each image is as long. */
const largestClass = 999_999;

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
    if (label > largestClass)
      throw fail(`the label of ${images[i]} is ${label}`, `Class ids go up to ${largestClass}.`);
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
