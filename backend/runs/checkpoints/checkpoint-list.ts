/**
 * Which checkpoints there are, and which of them to keep. A checkpoint is a folder `step-00001000`; saving a step
 * again (after a resume from before it) makes `step-00001000-r2`, so that there is no moment without a whole one.
 */
import fs from 'node:fs';
import path from 'node:path';
import { temporaryPath } from '../../files/atomic.ts';
import { errorCode, onDisk } from '../../files/disk.ts';
import { listFolder } from '../../files/folders.ts';
import { readText } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { decodeManifest, type Manifest } from './checkpoint-manifest.ts';

export const manifestName = 'manifest.json';
const folderName = /^step-(\d{8,})(?:-r(\d+))?$/;

export interface CheckpointEntry {
  readonly step: number;
  /** 1, or more when the step was saved again. */
  readonly revision: number;
  readonly path: string;
}

export function checkpointName(step: number, revision: number): string {
  return `step-${String(step).padStart(8, '0')}${revision > 1 ? `-r${revision}` : ''}`;
}

/** The newest first; whether they are sound is not looked at. */
export function listCheckpoints(folder: string): CheckpointEntry[] {
  const entries = listFolder(folder).flatMap((name) => {
    const [, step, revision] = folderName.exec(name) ?? [];
    return step ? [{ step: Number(step), revision: Number(revision ?? 1), path: path.join(folder, name) }] : [];
  });
  return entries.sort((a, b) => b.step - a.step || b.revision - a.revision);
}

export interface Retention {
  /** Keep so many of the newest. */
  readonly keep: number;
  /** Also keep the steps that are multiples of this; 0 none. */
  readonly keepEvery: number;
}

/**
 * Deletes the checkpoints that `retention` does not keep, and older revisions of a step. One that is plainly damaged
 * is not counted among the newest, so that it cannot push a sound one out.
 * @returns the paths deleted
 */
export function pruneCheckpoints(folder: string, retention: Retention): string[] {
  const kept = new Set<number>();
  const deleted: string[] = [];
  let whole = 0;
  for (const entry of listCheckpoints(folder)) {
    const isWhole = looksWhole(entry);
    const milestone = retention.keepEvery > 0 && entry.step % retention.keepEvery === 0;
    const wanted = whole < retention.keep || (isWhole && milestone);
    if (wanted && !kept.has(entry.step)) {
      if (isWhole) {
        kept.add(entry.step);
        whole += 1;
      }
      continue;
    }
    removeCheckpoint(entry.path);
    deleted.push(entry.path);
  }
  return deleted;
}

/** Deletes the checkpoints after a step, for a run that goes back to it. @returns the paths deleted */
export function removeCheckpointsAfter(folder: string, step: number): string[] {
  const later = listCheckpoints(folder).filter((entry) => entry.step > step);
  for (const entry of later) removeCheckpoint(entry.path);
  return later.map((entry) => entry.path);
}

/** First out of sight, then deleted: a half-deleted checkpoint is never taken for one. */
function removeCheckpoint(checkpoint: string): void {
  onDisk('delete', checkpoint, () => {
    const out = temporaryPath(checkpoint);
    fs.renameSync(checkpoint, out);
    fs.rmSync(out, { recursive: true, force: true });
  });
}

/** All files are there with their sizes; hashing them all at every save would cost too much. */
function looksWhole(entry: CheckpointEntry): boolean {
  try {
    const { files } = readManifest(entry);
    return Object.entries(files).every(([name, { bytes }]) => fs.statSync(path.join(entry.path, name)).size === bytes);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return false;
  }
}

/** Throws UserError('data') when a later version wrote one of the checkpoints: the run is that version's now. */
export function refuseLaterCheckpoints(folder: string): void {
  for (const entry of listCheckpoints(folder)) looksWhole(entry);
}

/** Throws Error when it is missing or damaged, UserError('data') when it is of a later format. */
export function readManifest({ path: folder }: CheckpointEntry): Manifest {
  const file = path.join(folder, manifestName);
  return decodeManifest(textOf(file), file);
}

/** What is no file to read damages one checkpoint, not all. */
function textOf(file: string): string {
  try {
    return readText(file, 'manifest');
  } catch (error) {
    const isNone = error instanceof UserError || ['EISDIR', 'ENOTDIR', 'ELOOP'].includes(errorCode(error));
    throw isNone ? new Error('it is no file to read') : error;
  }
}
