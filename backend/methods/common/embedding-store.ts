/**
 * Embeddings that memory has no room for, in a folder: `numbers`, their float32 bits one after the other, and `index`, which
 * prompts they are of. They are only ever added, by one process at a time (a run's lock keeps others away). What a killed
 * process or a lost page left damaged or unfinished is as if it were not there. Every refusal of the disk is a UserError('io'), and
 * so is a link in place of a file: it would be emptied wherever it leads.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import CRC32 from 'crc-32';
import { writeAll } from '../../files/atomic.ts';
import { type Disk, onDisk, realDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { readBytes, refuseLink } from '../../files/regular.ts';

/** The index: what all numbers depend on, then for each embedding its key and the checksum of its numbers. */
const headerBytes = 32;
const keyBytes = 16;
const entryBytes = keyBytes + 4;

export interface EmbeddingStoreOptions {
  readonly folder: string;
  /** What the numbers depend on besides the prompt: those of something else are given up. */
  readonly identity: string;
  /** Numbers of an embedding. */
  readonly length: number;
}

export class EmbeddingStore {
  readonly #bytes: number;
  readonly #disk: Disk;
  readonly #numbers: { readonly path: string; readonly handle: number };
  readonly #index: { readonly path: string; readonly handle: number };
  /** Which embedding in the file a key's is. */
  readonly #places = new Map<string, number>();
  readonly #checksums: number[] = [];

  constructor({ folder, identity, length }: EmbeddingStoreOptions, disk: Disk = realDisk) {
    this.#bytes = 4 * length;
    this.#disk = disk;
    makeFolder(folder);
    this.#numbers = open(path.join(folder, 'numbers'), disk);
    this.#index = open(path.join(folder, 'index'), disk);
    const header = createHash('sha256').update(`${identity} ${length}`).digest();
    const index = onDisk('read', this.#index.path, () => readBytes(this.#index.path, 'manifest'));
    if (header.equals(index.subarray(0, headerBytes))) this.#readIndex(index.subarray(headerBytes));
    else this.#begin(header);
  }

  has(ids: readonly number[]): boolean {
    return this.#places.has(keyOf(ids));
  }

  /** The very bits that were added; undefined for none, or damaged ones. */
  read(ids: readonly number[]): Float32Array | undefined {
    const key = keyOf(ids);
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const bytes = new Uint8Array(this.#bytes);
    const { path: file, handle } = this.#numbers;
    const count = onDisk('read', file, () => fs.readSync(handle, bytes, 0, bytes.length, place * bytes.length));
    if (count === bytes.length && CRC32.buf(bytes) === this.#checksums[place]) return new Float32Array(bytes.buffer);
    this.#places.delete(key);
    return undefined;
  }

  add(ids: readonly number[], embedding: Float32Array): void {
    const { buffer, byteOffset, byteLength } = embedding;
    if (byteLength !== this.#bytes) throw new Error(`an embedding of ${byteLength} bytes, not ${this.#bytes}`);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const place = this.#checksums.length;
    const [key, checksum] = [keyOf(ids), CRC32.buf(bytes)];
    const entry = Buffer.alloc(entryBytes);
    entry.write(key, 'latin1');
    entry.writeInt32LE(checksum, keyBytes);
    // The numbers come first: an entry without them would be a promise.
    this.#write(this.#numbers, bytes, place * this.#bytes);
    this.#write(this.#index, entry, headerBytes + place * entryBytes);
    this.#places.set(key, place);
    this.#checksums.push(checksum);
  }

  close(): void {
    for (const { handle } of [this.#numbers, this.#index]) this.#disk.close(handle);
  }

  #readIndex(entries: Buffer): void {
    const { size } = onDisk('read', this.#numbers.path, () => fs.fstatSync(this.#numbers.handle));
    const count = Math.min(Math.floor(entries.length / entryBytes), Math.floor(size / this.#bytes));
    for (let place = 0; place < count; place++) {
      const entry = entries.subarray(place * entryBytes, (place + 1) * entryBytes);
      this.#places.set(entry.toString('latin1', 0, keyBytes), place);
      this.#checksums.push(entry.readInt32LE(keyBytes));
    }
  }

  #begin(header: Uint8Array): void {
    for (const { path: file, handle } of [this.#index, this.#numbers]) {
      onDisk('write', file, () => this.#disk.truncate(handle, 0));
    }
    this.#write(this.#index, header, 0);
  }

  #write({ path: file, handle }: { path: string; handle: number }, bytes: Uint8Array, position: number): void {
    onDisk('write', file, () => writeAll(handle, bytes, this.#disk, position));
  }
}

/** Opens for reading and writing anywhere, and makes the file where there is none. */
function open(file: string, disk: Disk) {
  const handle = onDisk('open', file, () => {
    refuseLink(file);
    return disk.open(file, fs.existsSync(file) ? 'r+' : 'w+');
  });
  return { path: file, handle };
}

/** Of the tokens, so that another vocabulary has other keys. */
function keyOf(ids: readonly number[]): string {
  return createHash('sha256').update(ids.join()).digest().toString('latin1', 0, keyBytes);
}
