/**
 * Reads event files as they grow. A record whose end is not there (yet) is left for the next call; a record whose CRC
 * does not match ends its file with a warning, since nothing after it can be found reliably; other files are read on.
 */
import fs from 'node:fs';
import path from 'node:path';
import { onDisk } from '../../files/disk.ts';
import { listFolder } from '../../files/folders.ts';
import { decodeEvent, type RunEvent } from './proto.ts';
import { decodeRecord } from './record.ts';
import { eventFileName } from './writer.ts';

const chunkBytes = 1 << 20;

/** A position in one event file. */
export interface EventFileReader {
  readonly file: string;
  /** Where and why reading ended for good, '' while the file is sound. */
  readonly damage: string;
  /**
   * The complete records that were not read yet, at most about `limit` bytes of them.
   * @returns [] when there is nothing new
   */
  read(limit?: number): RunEvent[];
}

export function openEventFile(file: string): EventFileReader {
  let position = 0;
  let damage = '';
  const read = (limit = chunkBytes): RunEvent[] => {
    const events: RunEvent[] = [];
    if (damage) return events;
    const handle = onDisk('read', file, () => fs.openSync(file, 'r'));
    try {
      const { size } = fs.fstatSync(handle);
      const end = position + limit;
      let want = Math.min(chunkBytes, limit);
      while (position < size && position < end && !damage) {
        const bytes = readAt(handle, position, Math.min(want, size - position));
        const taken = takeRecords(bytes, events);
        position += taken.bytes;
        if (taken.damage) damage = `${file}, byte ${position}: ${taken.damage}`;
        else if (taken.bytes === 0 && position + taken.need > size) break;
        want = taken.bytes === 0 ? taken.need : Math.min(chunkBytes, end - position);
      }
    } finally {
      fs.closeSync(handle);
    }
    return events;
  };
  return {
    file,
    get damage() {
      return damage;
    },
    read,
  };
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
function takeRecords(bytes: Uint8Array, events: RunEvent[]): { bytes: number; need: number; damage: string } {
  let offset = 0;
  while (offset < bytes.length) {
    const record = decodeRecord(bytes, offset);
    if (record.status === 'incomplete') return { bytes: offset, need: record.need, damage: '' };
    if (record.status === 'damaged') return { bytes: offset, need: 0, damage: record.why };
    events.push(decodeEvent(record.payload));
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
