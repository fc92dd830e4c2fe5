/**
 * The pictures that were made, as files that outlive the editor: one folder per generation with entry.json and its PNGs.
 * A folder is written under a temporary name and renamed, so that it is there whole or not at all, and two windows can
 * use the same history. What is deleted is renamed first and can be brought back. Knows no `vscode`.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readBytesAside, readTextAside } from '../../backend/files/regular.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { type Entry, entrySchema, type Side } from '../../backend/protocol/panels/generate.ts';
import { l10n } from '../l10n.ts';

export interface HistoryLimits {
  readonly entries: number;
  readonly bytes: number;
}

const infoName = 'entry.json';
const deletedPrefix = '.deleted-';
const temporaryPrefix = '.new-';
/** What another window may still be writing, or may still bring back. */
const leftoverMilliseconds = 24 * 60 * 60_000;

export class History {
  readonly #folder: string;
  readonly #limits: () => HistoryLimits;
  /** The newest first; null before the folder was read. */
  #entries: Promise<Kept[]> | null = null;
  #deleted: string[] = [];
  /** What changes it goes one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param limits asked at every addition: the oldest entries go first, the newest never does */
  constructor(folder: string, limits: () => HistoryLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** The newest first. A damaged entry is left out. */
  async list(): Promise<Entry[]> {
    return (await this.#all()).map(({ entry }) => entry);
  }

  /** Throws UserError('io'). */
  add({ sides, pictures, grid = null }: Addition, now = new Date()): Promise<Entry> {
    const createdAt = now.toISOString();
    const id = `${createdAt.replace(/\W/g, '')}-${randomBytes(3).toString('hex')}`;
    const entry: Entry = { id, createdAt, sides: [...sides], grid, favourite: false };
    return this.#inTurn(() => this.#add(entry, pictures));
  }

  async #add(entry: Entry, pictures: Addition['pictures']): Promise<Entry> {
    const entries = await this.#all();
    const files = new Map<string, Uint8Array>([[infoName, recordOf(entry)]]);
    pictures.forEach((side, s) => {
      side.forEach((png, i) => {
        files.set(pictureName(s, i), png);
      });
    });
    await this.#write(entry.id, files);
    entries.unshift({ entry, bytes: [...files.values()].reduce((sum, { length }) => sum + length, 0) });
    await this.#thin(entries);
    return entry;
  }

  /** PNG files, by side. Throws UserError('data') when they are gone. */
  async images(id: string): Promise<Uint8Array[][]> {
    const { sides } = await this.entry(id);
    return Promise.all(sides.map(({ images }, s) => Promise.all(images.map((_, i) => this.image(id, s, i)))));
  }

  async image(id: string, side: number, index: number): Promise<Uint8Array> {
    await this.entry(id);
    try {
      return new Uint8Array(await readBytesAside(join(this.#folder, id, pictureName(side, index)), 'picture'));
    } catch (cause) {
      const hint = l10n.t('Restore its settings and generate it again.');
      throw new UserError('data', l10n.t('The picture is no longer in the history'), hint, { cause });
    }
  }

  /** Throws UserError('data') for one that there is not; so no id from outside becomes a path. */
  async entry(id: string): Promise<Entry> {
    const found = (await this.#all()).find(({ entry }) => entry.id === id);
    if (found) return found.entry;
    throw new UserError(
      'data',
      l10n.t('This generation is no longer in the history'),
      l10n.t('It was deleted, or made room for others.'),
    );
  }

  delete(id: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.entry(id);
      await this.#move(id, `${deletedPrefix}${id}`);
      this.#entries = Promise.resolve((await this.#all()).filter(({ entry }) => entry.id !== id));
      this.#deleted.push(id);
    });
  }

  /** Brings back what was deleted last; null when there is nothing. */
  undoDelete(): Promise<Entry | null> {
    return this.#inTurn(async () => {
      const id = this.#deleted.pop();
      if (id === undefined) return null;
      await this.#move(`${deletedPrefix}${id}`, id);
      this.#entries = null;
      return this.entry(id);
    });
  }

  /** A favourite never makes room for others. */
  setFavourite(id: string, favourite: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const entry: Entry = { ...(await this.entry(id)), favourite };
      await this.#rewrite(entry);
      this.#entries = Promise.resolve(
        (await this.#all()).map((kept) => (kept.entry.id === id ? { ...kept, entry } : kept)),
      );
    });
  }

  /** After what was asked before; what failed there is not this one's. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  #all(): Promise<Kept[]> {
    this.#entries ??= this.#read().catch((error) => {
      this.#entries = null; // asked again the next time
      throw error;
    });
    return this.#entries;
  }

  async #read(): Promise<Kept[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw asUserError(error, `read ${this.#folder}`);
    });
    await this.#sweep(names.filter((name) => name.startsWith('.')));
    const found = await Promise.all(names.filter((name) => !name.startsWith('.')).map((name) => this.#readOne(name)));
    const kept = found.filter((entry) => entry !== null);
    return kept.sort((a, b) => b.entry.id.localeCompare(a.entry.id));
  }

  async #readOne(name: string): Promise<Kept | null> {
    const folder = join(this.#folder, name);
    try {
      const entry = entrySchema.parse(JSON.parse(await readTextAside(join(folder, infoName), 'record')));
      if (entry.id !== name) return null;
      const files = await readdir(folder);
      const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
      return { entry, bytes: sizes.reduce((sum, size) => sum + size, 0) };
    } catch {
      return null; // damaged, or another window has just deleted it
    }
  }

  /** Removes what was deleted or left half-written long ago. */
  async #sweep(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (!name.startsWith(deletedPrefix) && !name.startsWith(temporaryPrefix)) continue;
      const path = join(this.#folder, name);
      const info = await stat(path).catch(() => null);
      if (info && Date.now() - info.ctimeMs > leftoverMilliseconds) await remove(path);
    }
  }

  async #write(id: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const temporary = join(this.#folder, `${temporaryPrefix}${id}`);
    try {
      await mkdir(temporary, { recursive: true });
      for (const [name, content] of files) await writeSynced(join(temporary, name), content);
      await rename(temporary, join(this.#folder, id));
    } catch (error) {
      await remove(temporary);
      throw asUserError(error, `write ${join(this.#folder, id)}`);
    }
  }

  async #rewrite(entry: Entry): Promise<void> {
    const folder = join(this.#folder, entry.id);
    const temporary = join(folder, `${infoName}.new`);
    try {
      await rm(temporary, { force: true });
      await writeSynced(temporary, recordOf(entry));
      await rename(temporary, join(folder, infoName));
    } catch (error) {
      throw asUserError(error, `write ${join(folder, infoName)}`);
    }
  }

  async #move(from: string, to: string): Promise<void> {
    try {
      await rename(join(this.#folder, from), join(this.#folder, to));
    } catch (error) {
      throw asUserError(error, `rename ${join(this.#folder, from)}`);
    }
  }

  async #thin(entries: Kept[]): Promise<void> {
    const limits = this.#limits();
    let bytes = entries.reduce((sum, kept) => sum + kept.bytes, 0);
    const [, ...older] = entries;
    for (const oldest of older.reverse().filter(({ entry }) => !entry.favourite)) {
      if (entries.length <= limits.entries && bytes <= limits.bytes) return;
      entries.splice(entries.indexOf(oldest), 1);
      bytes -= oldest.bytes;
      await remove(join(this.#folder, oldest.entry.id));
    }
  }
}

/** What one generation made. */
export interface Addition {
  readonly sides: readonly Side[];
  /** PNG files, by side. */
  readonly pictures: readonly (readonly Uint8Array[])[];
  /** What the sides are the cells of, row by row; null: they stand beside each other. */
  readonly grid?: Entry['grid'];
}

function recordOf(entry: Entry): Uint8Array {
  return Buffer.from(`${JSON.stringify(entry, null, 1)}\n`);
}

interface Kept {
  readonly entry: Entry;
  readonly bytes: number;
}

function pictureName(side: number, index: number): string {
  return `${side}-${index}.png`;
}

async function writeSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What cannot be removed now is swept another time. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => {});
}

function asUserError(error: unknown, doing: string): UserError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const hint = full ? l10n.t('Free some space.') : l10n.t('Check who may write there.');
  return new UserError('io', `cannot ${doing}: ${full ? 'the disk is full' : code}`, hint, { cause: error });
}
