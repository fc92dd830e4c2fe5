/**
 * Finds the IDX files of a data set: the file of pictures, and that of their labels beside it under the same name with `labels`
 * for `images`, packed or not: train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asUserError } from '../../files/disk.ts';
import { openRegular } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { isGzip, isIdx } from './idx-file.ts';

export interface IdxFiles {
  /** What was asked for: a folder, or the file of pictures. */
  readonly source: string;
  readonly isFolder: boolean;
  readonly images: string;
  /** Null where there is none. */
  readonly labels: string | null;
}

const hint = 'Give the path of a file of pictures, such as train-images-idx3-ubyte.gz, or the folder it lies in.';

/** Some copies have a dot where the others have a hyphen. */
const pictureName = /^(.*?)images([-.]idx3[-.]ubyte(?:\.gz)?)$/;
const labelName = /labels[-.]idx1[-.]ubyte(?:\.gz)?$/;

/** The files that a folder or a file leads to; null for what is another data set, or none. Throws UserError('data', 'io'). */
export async function findIdx(source: string): Promise<IdxFiles | null> {
  const found = await stat(source).catch(() => null); // who opens it as something else says what is wrong
  if (found?.isDirectory()) return inFolder(source);
  if (!found?.isFile() || !(await beginsAsIdx(source))) return null;
  const name = basename(source);
  if (labelName.test(name)) {
    throw new UserError('data', `${source} is a file of labels; data are the pictures, which name theirs`, hint);
  }
  const labels = labelsOf(name, await namesIn(dirname(source)));
  return { source, isFolder: false, images: source, labels: labels && join(dirname(source), labels) };
}

/** A folder with several files of pictures means those for training. */
async function inFolder(folder: string): Promise<IdxFiles | null> {
  const names = await namesIn(folder);
  const pictures = names.filter((name) => pictureName.test(name));
  const [first] = pictures;
  if (first === undefined) {
    const labels = names.find((name) => labelName.test(name));
    if (labels === undefined || names.some((name) => /\.png$/i.test(name))) return null;
    throw new UserError('data', `${folder} has ${labels}, but no pictures that belong to it`, hint);
  }
  const parts = [...new Set(pictures.map((name) => pictureName.exec(name)![1]!))];
  const part = parts.length === 1 ? parts[0] : parts.find((name) => /^train/i.test(name));
  if (part === undefined) {
    throw new UserError('data', `${folder} has several data sets: ${pictures.join(', ')}`, hint);
  }
  const images = pictures.find((name) => pictureName.exec(name)![1] === part)!; // the one that is not packed
  const labels = labelsOf(images, names);
  return { source: folder, isFolder: true, images: join(folder, images), labels: labels && join(folder, labels) };
}

function labelsOf(images: string, names: readonly string[]): string | null {
  const [, part] = pictureName.exec(images) ?? [];
  return names.find((name) => labelName.test(name) && name.replace(labelName, '') === part) ?? null;
}

/** Sorted, so that a file comes before its packed copy. */
async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw asUserError(cause, 'read', folder);
  });
  return names.sort();
}

/** A zip, for one, begins otherwise. Of a packed file only that it is packed is known. */
async function beginsAsIdx(file: string): Promise<boolean> {
  const handle = await openRegular(file).catch(() => null);
  if (!handle) return false;
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const start = buffer.subarray(0, bytesRead);
    return isIdx(start) || isGzip(start);
  } finally {
    await handle.close();
  }
}
