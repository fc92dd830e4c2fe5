/**
 * Reads event files as they grow. A record whose end is not there (yet) is left for the next call. One whose CRC does not
 * match ends the reading of its file with a warning, since nothing after it can be found reliably, until it does: what is
 * copied while it is read may hold zeros for a while. Other files are read on.
 */
import fs from 'node:fs';
import path from 'node:path';
import { onDisk } from '../../files/disk.ts';
import { listFolder } from '../../files/folders.ts';
import { openRegularSync } from '../../files/regular.ts';
import { decodeEvent, type RunEvent } from './proto.ts';
import { decodeRecord } from './record.ts';
import { ScalarEvents } from './scalar-events.ts';
import { eventFileName } from './writer.ts';

const chunkBytes = 1 << 20;

/** A position in one event file. */
export interface EventFileReader {
  readonly file: string;
  /** Where and why the last call could not go on, '' while the file is sound. */
  readonly damage: string;
  /** Whether the file does not hold what was read of it any more: it was made anew under its name. */
  isReplaced(): boolean;
  /**
   * The complete records that were not read yet, at most about `limit` bytes of them.
   * @returns [] when there is nothing new
   */
  read(limit?: number): RunEvent[];
}

export function openEventFile(file: string): EventFileReader {
  let position = 0;
  let damage = '';
  const known = new KnownBytes();
  const scalars = new ScalarEvents();
  const withFile = <T>(act: (handle: number) => T): T => {
    const handle = onDisk('read', file, () => openRegularSync(file));
    try {
      return act(handle);
    } finally {
      fs.closeSync(handle);
    }
  };
  return {
    file,
    get damage() {
      return damage;
    },
    isReplaced: () => position > 0 && withFile((handle) => !known.areIn(handle)),
    read: (limit = chunkBytes) =>
      withFile((handle) => {
        const events: RunEvent[] = [];
        const { size } = fs.fstatSync(handle);
        const end = position + limit;
        let want = Math.min(chunkBytes, limit);
        damage = '';
        while (position < size && position < end && !damage) {
          const bytes = readAt(handle, position, Math.min(want, size - position));
          const taken = takeRecords(bytes, scalars, events);
          known.add(bytes.subarray(0, taken.bytes));
          position += taken.bytes;
          if (taken.damage) damage = `${file}, byte ${position}: ${taken.damage}`;
          else if (taken.bytes === 0 && position + taken.need > size) break;
          want = taken.bytes === 0 ? taken.need : Math.min(chunkBytes, end - position);
        }
        return events;
      }),
  };
}

/** Tells a file that has grown from another one of its name: the first bytes hold the time it was begun at. */
class KnownBytes {
  static readonly #most = 1 << 12;
  #first: Uint8Array = new Uint8Array();
  #last: Uint8Array = new Uint8Array();
  #length = 0;

  add(bytes: Uint8Array): void {
    const most = KnownBytes.#most;
    if (this.#first.length < most) this.#first = Buffer.concat([this.#first, bytes]).subarray(0, most);
    this.#last = Uint8Array.from(
      bytes.length < most ? Buffer.concat([this.#last, bytes]).subarray(-most) : bytes.subarray(-most),
    );
    this.#length += bytes.length;
  }

  areIn(handle: number): boolean {
    const areAt = (known: Uint8Array, position: number) =>
      Buffer.compare(readAt(handle, position, known.length), known) === 0;
    return areAt(this.#first, 0) && areAt(this.#last, this.#length - this.#last.length);
  }
}

function readAt(handle: number, position: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = fs.readSync(handle, bytes, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Decodes whole records from the start of `bytes`; `need` is how long the first one that is cut off is. */
function takeRecords(
  bytes: Uint8Array,
  scalars: ScalarEvents,
  events: RunEvent[],
): { bytes: number; need: number; damage: string } {
  let offset = 0;
  while (offset < bytes.length) {
    const record = decodeRecord(bytes, offset);
    if (record.status === 'incomplete') return { bytes: offset, need: record.need, damage: '' };
    if (record.status === 'damaged') return { bytes: offset, need: 0, damage: record.why };
    try {
      events.push(scalars.decode(record.payload) ?? decodeEvent(record.payload));
    } catch (error) {
      // The frame is sound, what is in it is not: no later record can be trusted to mean what it says.
      const reason = error instanceof Error ? error.message : String(error);
      return { bytes: offset, need: 0, damage: `the record there cannot be read: ${reason}` };
    }
    offset = record.next;
  }
  return { bytes: offset, need: 0, damage: '' };
}

/** Follows all event files of a folder, in the order they were begun. */
export interface EventFolderReader {
  /** What was not read yet, oldest first, at most about `limit` bytes; [] when there is nothing new. */
  read(limit?: number): RunEvent[];
  /** One line per damaged file so far. */
  warnings(): string[];
}

export function openEventFolder(folder: string): EventFolderReader {
  const readers = new Map<string, EventFileReader>();
  return {
    read(limit = chunkBytes) {
      for (const name of listFolder(folder).filter((entry) => eventFileName.test(entry))) {
        if (!readers.has(name)) readers.set(name, openEventFile(path.join(folder, name)));
      }
      for (const name of [...readers.keys()].sort()) {
        const events = readers.get(name)!.read(limit);
        if (events.length > 0) return events;
      }
      return [];
    },
    warnings: () => [...readers.values()].map((reader) => reader.damage).filter((damage) => damage !== ''),
  };
}
