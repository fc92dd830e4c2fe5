/**
 * A folder of pictures becomes a data set as EDM lays it out: a zip of PNG images of one size with `dataset.json`. The zip is
 * there whole or not at all; one that was there before stays until then.
 */
import { join } from 'node:path';
import { writePiecesAtomic } from '../../files/atomic.ts';
import { asUserError, isDiskTrouble } from '../../files/disk.ts';
import { removeLeftoversOf } from '../../files/folders.ts';
import { readBytesAside } from '../../files/regular.ts';
import { tensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { encodePng } from '../png.ts';
import { decodePicture } from './decode-picture.ts';
import type { DecodedPicture } from './decoded-picture.ts';
import { type FoundPictures, findPictures } from './find-pictures.ts';
import { type SquareOptions, toSquare } from './to-square.ts';
import { type ZipEntry, zipPieces } from './zip-pieces.ts';

export interface PackOptions extends SquareOptions {
  readonly folder: string;
  /** The zip to write. */
  readonly out: string;
  /** Leaves out what cannot be read, instead of writing nothing. */
  readonly skipBroken: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Packed {
  readonly count: number;
  /** Names and numbers of pictures, in the order of their ids; empty for a data set without labels. */
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  /** Pictures that were not square, and such with fewer pixels than asked for. */
  readonly oblong: number;
  readonly enlarged: number;
  readonly broken: readonly Broken[];
  /** Files that are no pictures. */
  readonly others: number;
}

export interface Broken {
  readonly name: string;
  readonly reason: string;
}

/** Throws UserError: 'data' that names what cannot be read, 'io', 'cancelled'. */
export async function packPictures(options: PackOptions): Promise<Packed> {
  const found = await findPictures(options.folder);
  removeLeftoversOf(options.out);
  const packing = new Packing(options, found);
  await writePiecesAtomic(options.out, zipPieces(packing.entries()));
  return packing.result();
}

const unreadReason = 'its format is not read; save it as JPEG or PNG';
/** Broken pictures that an error names. */
const named = 20;

class Packing {
  readonly #options: PackOptions;
  readonly #found: FoundPictures;
  readonly #broken: Broken[];
  /** The class of each picture that is in, -1 for none. */
  readonly #ids: number[] = [];
  #oblong = 0;
  #enlarged = 0;

  constructor(options: PackOptions, found: FoundPictures) {
    this.#options = options;
    this.#found = found;
    this.#broken = found.unread.map((name) => ({ name, reason: unreadReason }));
  }

  async *entries(): AsyncGenerator<ZipEntry> {
    const { signal, onProgress, skipBroken } = this.#options;
    const { names, ids } = this.#found;
    for (const [i, name] of names.entries()) {
      if (signal?.aborted) throw new UserError('cancelled', 'Packing was stopped; nothing was written.');
      const content = await this.#picture(name);
      onProgress?.(i + 1, names.length);
      if (!content) continue;
      const entry = entryName(this.#ids.length);
      this.#ids.push(ids[i] ?? -1);
      yield { name: entry, content };
    }
    if (this.#broken.length > 0 && !skipBroken) throw this.#brokenError();
    if (this.#ids.length < 2) throw this.#tooFew();
    yield { name: 'dataset.json', content: Buffer.from(JSON.stringify(this.#labels())) };
  }

  result(): Packed {
    const classes = this.#found.classes.map((name, id) => ({
      name,
      count: this.#ids.filter((of) => of === id).length,
    }));
    const { others } = this.#found;
    return {
      count: this.#ids.length,
      classes,
      oblong: this.#oblong,
      enlarged: this.#enlarged,
      broken: this.#broken,
      others,
    };
  }

  /** Undefined for one that cannot be read. */
  async #picture(name: string): Promise<Uint8Array | undefined> {
    const { folder, size, gray } = this.#options;
    try {
      const picture = decodePicture(await readBytesAside(join(folder, name), 'picture'));
      const image = encodePng(tensorData([gray ? 1 : 3, size, size], toSquare(picture, this.#options)));
      this.#count(picture);
      return image;
    } catch (error) {
      if (isDiskTrouble(error)) throw asUserError(error, 'read', join(folder, name));
      this.#broken.push({ name, reason: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  #count({ width, height }: DecodedPicture): void {
    if (width !== height) this.#oblong++;
    if (Math.min(width, height) < this.#options.size) this.#enlarged++;
  }

  /** EDM reads `labels`; the classes' names are for people. */
  #labels() {
    const { classes } = this.#found;
    if (classes.length === 0) return { labels: null };
    return { labels: this.#ids.map((id, i) => [entryName(i), id]), classes };
  }

  #brokenError(): UserError {
    const all = this.#broken;
    const lines = all.slice(0, named).map(({ name, reason }) => `${name}: ${reason}`);
    const more = all.length > named ? `; and ${all.length - named} more` : '';
    const what = all.length === 1 ? 'a picture that cannot' : `${all.length} pictures that cannot`;
    const message = `${this.#options.folder} has ${what} be read, so nothing was written: ${lines.join('; ')}${more}`;
    return new UserError('data', message, 'Mend them or take them out; --skip-broken leaves them out.');
  }

  #tooFew(): UserError {
    const count = this.#ids.length === 0 ? 'no picture that can be read' : 'a single picture';
    const message = `${this.#options.folder} has ${count}, so nothing was written`;
    return new UserError('data', message, 'A model learns from many, hundreds for each class; give more.');
  }
}

/** As EDM's own tool names them. */
function entryName(index: number): string {
  const number = String(index).padStart(8, '0');
  return `${number.slice(0, 5)}/img${number}.png`;
}
