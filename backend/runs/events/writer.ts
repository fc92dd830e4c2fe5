/**
 * Writes a run's TensorBoard event files: append-only, one record per call, nothing held back, so that a killed run
 * loses at most the record being written and a viewer is never behind.
 *
 * Every process opens a file of its own. When it resumes from a checkpoint, its first record says from which step on the
 * earlier files no longer count; TensorBoard and our reader both drop those, so the curves show what was computed last.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeAll } from '../../files/atomic.ts';
import { asUserError, type Disk, onDisk, realDisk } from '../../files/disk.ts';
import { listFolder, makeFolder } from '../../files/folders.ts';
import type { Summary } from '../../training/session.ts';
import { histogramOf } from './histogram.ts';
import { encodeEvent, type RunEvent, type SummaryValue } from './proto.ts';
import { encodeRecord } from './record.ts';

export interface EventWriterOptions {
  /** The first step this process computes: earlier files no longer count from it on. Default: nothing is superseded. */
  readonly restartAt?: number;
  readonly disk?: Disk;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface EventWriter {
  readonly file: string;
  /** Appends one record. Throws UserError('io') when the disk refuses; the file then ends after the record before. */
  add(step: number, summary: Summary): void;
  /** Makes what was written durable; with every checkpoint. */
  sync(): void;
  close(): void;
}

export const eventFileName = /^events\.out\.tfevents\.(\d{10,})\./;

/** Starts a new event file in `folder`, named so that it sorts after the ones there, as TensorBoard wants. */
export function openEventWriter(folder: string, options: EventWriterOptions = {}): EventWriter {
  const { restartAt, disk = realDisk, now = Date.now } = options;
  makeFolder(folder);
  const file = path.join(folder, nextName(folder, now()));
  const handle = onDisk('write', file, () => disk.open(file, 'wx'));
  let length = 0;

  const append = (event: Pick<RunEvent, 'step'> & Partial<RunEvent>) => {
    const complete: RunEvent = { wallTime: now() / 1000, fileVersion: '', restart: false, values: [], ...event };
    const record = encodeRecord(encodeEvent(complete));
    try {
      writeAll(handle, record, disk, length);
      length += record.length;
    } catch (error) {
      // A record cut in two would hide all that follow it.
      disk.truncate(handle, length);
      throw asUserError(error, 'write', file);
    }
  };

  const close = () => disk.close(handle);
  try {
    append({ step: 0, fileVersion: 'brain.Event:2' });
    if (restartAt !== undefined) append({ step: restartAt, restart: true });
  } catch (error) {
    close();
    fs.rmSync(file, { force: true });
    throw error;
  }
  return {
    file,
    add: (step, summary) => append({ step, values: valuesOf(summary) }),
    sync: () => onDisk('write', file, () => disk.sync(handle)),
    close,
  };
}

/** `events.out.tfevents.<seconds>.<host>.<pid>`; the seconds move on where the last file has them already. */
function nextName(folder: string, milliseconds: number): string {
  const last = listFolder(folder)
    .map((name) => Number(eventFileName.exec(name)?.[1] ?? 0))
    .reduce((a, b) => Math.max(a, b), 0);
  const seconds = Math.max(Math.floor(milliseconds / 1000), last + 1);
  return `events.out.tfevents.${String(seconds).padStart(10, '0')}.${os.hostname()}.${process.pid}`;
}

function valuesOf(summary: Summary): SummaryValue[] {
  return [
    ...Object.entries(summary.scalars ?? {}).map(([tag, value]) => ({ kind: 'scalar' as const, tag, value })),
    ...Object.entries(summary.images ?? {}).map(([tag, png]) => ({
      kind: 'image' as const,
      tag,
      ...pngSize(png),
      png,
    })),
    ...Object.entries(summary.histograms ?? {}).map(([tag, values]) => ({
      kind: 'histogram' as const,
      tag,
      histogram: histogramOf(values),
    })),
    ...Object.entries(summary.texts ?? {}).map(([tag, text]) => ({ kind: 'text' as const, tag, text })),
  ];
}

/** The IHDR chunk comes first: width and height are the big-endian integers at 16 and 20. */
function pngSize(png: Uint8Array): { width: number; height: number } {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (bytes.length < 24 || bytes.toString('latin1', 1, 4) !== 'PNG') throw new Error('an image event needs a PNG file');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}
