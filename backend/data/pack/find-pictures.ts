/**
 * The pictures in a person's folder and what class each is of: the name of the folder it lies in, where the ways to the pictures
 * part.
 */
import { stat } from 'node:fs/promises';
import { asUserError } from '../../files/disk.ts';
import { UserError } from '../../protocol/errors.ts';
import { walkFolder } from '../walk-folder.ts';

export interface FoundPictures {
  /** Names below the folder, with forward slashes, in order. */
  readonly names: readonly string[];
  /** The classes' names in order; empty where the pictures lie side by side, or in one folder. */
  readonly classes: readonly string[];
  /** The class of each picture; empty where there are none. */
  readonly ids: readonly number[];
  /** Pictures in a format that is not read here, such as WebP. */
  readonly unread: readonly string[];
  /** Files that are no pictures. */
  readonly others: number;
}

const read = /\.(png|jpe?g|jfif)$/i;
const unread = /\.(webp|gif|bmp|tiff?|heic|heif|avif|svg|jxl|jp2|dng|cr2|nef)$/i;

/** '2' before '10', whatever the language. */
const inOrder = new Intl.Collator('en', { numeric: true }).compare;

/** Throws UserError: 'data' for a folder without pictures, or some with and some without a class; 'io'. */
export async function findPictures(folder: string): Promise<FoundPictures> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw asUserError(cause, 'read', folder);
  });
  if (!found.isDirectory()) {
    const hint = 'Give the folder that your pictures are in; what is a data set already needs no packing.';
    throw new UserError('data', `${folder} is not a folder`, hint);
  }
  const all = await walkFolder(folder).catch((cause: unknown) => {
    throw asUserError(cause, 'read', folder);
  });
  all.sort(inOrder);
  if (all.some((name) => name === 'dataset.json')) {
    const hint = 'Name it as data.source as it is; or take dataset.json out, and classes come of the folders.';
    throw new UserError('data', `${folder} has a dataset.json: it is a data set already`, hint);
  }
  const names = all.filter((name) => read.test(name));
  const others = all.filter((name) => unread.test(name));
  if (names.length === 0) throw nothingIn(folder, others);
  return { names, ...classesOf(folder, names), unread: others, others: all.length - names.length - others.length };
}

function classesOf(folder: string, names: readonly string[]): Pick<FoundPictures, 'classes' | 'ids'> {
  const common = commonFolders(names);
  const own = names.map((name) => name.split('/').slice(0, -1)[common] ?? '');
  const classes = [...new Set(own)].sort(inOrder);
  if (classes.length === 1) return { classes: [], ids: [] };
  const loose = names.filter((_, i) => own[i] === '');
  if (loose.length > 0) {
    const message = `${folder} has ${loose.length} pictures without a class, first ${loose[0]}, and ${names.length - loose.length} in folders`;
    throw new UserError('data', message, 'Put each into the folder of its class, or all of them side by side.');
  }
  const ids = new Map(classes.map((name, id) => [name, id]));
  return { classes, ids: own.map((name) => ids.get(name)!) };
}

/** How many folders all of them lie in together. */
function commonFolders(names: readonly string[]): number {
  const ways = names.map((name) => name.split('/').slice(0, -1));
  const [first = []] = ways;
  const part = first.findIndex((folder, depth) => ways.some((way) => way[depth] !== folder));
  return part === -1 ? first.length : part;
}

function nothingIn(folder: string, unread: readonly string[]): UserError {
  const but = unread.length > 0 ? `, only ${unread.length} pictures of other formats, first ${unread[0]}` : '';
  return new UserError('data', `${folder} holds no JPEG or PNG${but}`, 'Save the pictures as JPEG or PNG.');
}
