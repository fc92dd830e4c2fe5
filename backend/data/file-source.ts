/**
 * Named files in a folder or a zip, read one at a time; names use forward slashes and are sorted. What systems leave beside
 * people's files is not there: `__MACOSX`, `._*`, dot files and the like. Links are followed, in a zip they are refused.
 */
import { type FileHandle, stat } from 'node:fs/promises';
import { join } from 'node:path';
import yauzl from 'yauzl';
import { asUserError, diskRefusal } from '../files/disk.ts';
import { openRegular, readBytesAside } from '../files/regular.ts';
import { UserError } from '../protocol/errors.ts';
import { BoundedReader } from '../weights/bounded-reader.ts';
import { readZipEntry } from '../weights/zip-entry.ts';
import { isJunk, walkFolder } from './walk-folder.ts';

/** Pictures are packed already; the labels of ImageNet are 50 MB, packed to a tenth. */
const limits = { free: 2 ** 24, perPacked: 20 };

export interface FileSource {
  /** The folder or zip itself, for messages. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly names: readonly string[];
  /** The whole file. Rejects when it cannot be read. */
  read(name: string): Promise<Buffer>;
  /** Its first `length` bytes, fewer where it is shorter. */
  readStart(name: string, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens a folder (searched through all its subfolders) or a zip. Throws UserError when it is neither. */
export async function openFileSource(path: string): Promise<FileSource> {
  const found = await stat(path).catch((cause: unknown) => {
    const hint = 'Give the path of a folder or .zip with PNG images.';
    throw (
      diskRefusal(cause, 'read', path) ??
      new UserError('data', `cannot read the data set ${path}: ${reasonOf(cause)}`, hint, { cause })
    );
  });
  if (found.isDirectory()) return openFolder(path);
  return openZip(path).catch((cause: unknown) => {
    const hint = 'A data set is a folder or a .zip; copy or make the file again if it is damaged.';
    throw (
      diskRefusal(cause, 'read', path) ??
      new UserError('data', `${path} is not a readable zip: ${reasonOf(cause)}`, hint, { cause })
    );
  });
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function openFolder(path: string): Promise<FileSource> {
  const names = await walkFolder(path).catch((cause: unknown) => {
    throw asUserError(cause, 'read', path);
  });
  return {
    path,
    isFolder: true,
    names: names.sort(),
    read: (name) => readBytesAside(join(path, name), name.endsWith('.json') ? 'labels' : 'picture'),
    async readStart(name, length) {
      const handle = await openRegular(join(path, name));
      try {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, 0);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
    async close() {},
  };
}

async function openZip(path: string): Promise<FileSource> {
  const handle = await openRegular(path);
  try {
    return await openZipIn(handle, path);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openZipIn(handle: FileHandle, path: string): Promise<FileSource> {
  const { size } = await handle.stat();
  const reader = new BoundedReader({ size, read: (position, length) => readExactly(handle, position, length) });
  const zip = await yauzl.fromRandomAccessReaderPromise(reader, size, { autoClose: false, lazyEntries: true });
  const entries = new Map<string, yauzl.Entry>();
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName.replace(/^(\.\/)+/, '');
    if (name.endsWith('/') || isJunk(name)) continue;
    if (isLink(entry)) throw new Error(`${name} is a link in it; pack it again with what it leads to`);
    entries.set(name, entry);
  }
  return {
    path,
    isFolder: false,
    names: [...entries.keys()].sort(),
    read: (name) =>
      readZipEntry(zip, entries.get(name)!, limits).catch((cause: unknown) => {
        throw new Error(`it ${reasonOf(cause)}`, { cause });
      }),
    async readStart(name, length) {
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of await zip.openReadStreamPromise(entries.get(name)!)) {
        pieces.push(piece as Buffer);
        bytes += (piece as Buffer).length;
        if (bytes >= length) break;
      }
      return Buffer.concat(pieces).subarray(0, length);
    },
    close: () => handle.close(),
  };
}

/** Programs of Unix put the kind of a file into the upper half of its attributes. */
function isLink({ externalFileAttributes }: yauzl.Entry): boolean {
  return ((externalFileAttributes >>> 16) & 0o170000) === 0o120000;
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  if (bytesRead < length) throw new Error(`the file ends at byte ${position + bytesRead}`);
  return bytes;
}
