/**
 * Checkpoints: everything a run needs to go on bit for bit.
 *
 * A checkpoint is written into a temporary folder, file by file and piece by piece, each synced, the manifest with their
 * hashes last; then the folder is renamed. Whatever happens in between (kill -9, power cut, full disk), the checkpoints
 * before it are untouched. Loading verifies every byte and keeps none: the numbers are read when they are restored. A damaged
 * checkpoint is named and the one before it is used.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { syncFolder, temporaryPath, writeNewFile, writeNewPieces } from '../../files/atomic.ts';
import { asUserError, type Disk, errorCode, onDisk, realDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { readText } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json.ts';
import type { ArraySource, StoredArrays } from '../../weights/array-source.ts';
import { planSafetensors, safetensorsPieces } from '../../weights/safetensors-pieces.ts';
import { openStoredArrays } from '../../weights/safetensors-stored.ts';
import {
  type CheckpointEntry,
  checkpointName,
  listCheckpoints,
  manifestName,
  readManifest,
} from './checkpoint-list.ts';
import { encodeManifest, type FileEntry, type FilePart, type Manifest } from './checkpoint-manifest.ts';
import { damageOf } from './damage.ts';

export {
  type CheckpointEntry,
  listCheckpoints,
  pruneCheckpoints,
  refuseLaterCheckpoints,
  removeCheckpointsAfter,
} from './checkpoint-list.ts';

const stateName = 'state.json';
const tensorFile = /^([a-z][a-z0-9_-]*)\.safetensors$/;

/** What is saved: named sets of numbers (one safetensors file each, float32) and a JSON value. */
export interface CheckpointContent {
  readonly files: ReadonlyMap<string, ReadonlyMap<string, ArraySource>>;
  readonly json: unknown;
}

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
  readonly files: ReadonlyMap<string, StoredArrays>;
  readonly json: unknown;
}

/**
 * Saves a checkpoint of any size; older ones stay (`pruneCheckpoints` deletes).
 * @param folder the run's checkpoints folder
 * @returns the path of the new checkpoint
 * @throws UserError('io'); no debris stays and the checkpoints before are untouched
 */
export async function saveCheckpoint(
  folder: string,
  step: number,
  content: CheckpointContent,
  disk: Disk = realDisk,
): Promise<string> {
  makeFolder(folder);
  const before = listCheckpoints(folder).find((entry) => entry.step === step);
  const target = path.join(folder, checkpointName(step, (before?.revision ?? 0) + 1));
  const temporary = temporaryPath(target);
  try {
    makeFolder(temporary);
    await writeContent(temporary, step, content, disk);
    syncFolder(temporary, disk);
    onDisk('write', target, () => disk.rename(temporary, target));
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    if (error instanceof Error) error.message = error.message.replaceAll(temporary, target);
    throw error;
  }
  syncFolder(folder, disk);
  return target;
}

async function writeContent(folder: string, step: number, content: CheckpointContent, disk: Disk): Promise<void> {
  const files: Record<string, FileEntry> = {};
  for (const [name, arrays] of content.files) {
    const file = `${name}.safetensors`;
    if (!tensorFile.test(file)) throw new Error(`"${name}" cannot name a file of a checkpoint`);
    files[file] = await writeArrays(path.join(folder, file), arrays, disk);
  }
  const json = Buffer.from(`${JSON.stringify(content.json, null, 2)}\n`);
  files[stateName] = await writeNewPieces(path.join(folder, stateName), [json], disk);
  const manifest = encodeManifest({ step, createdAt: new Date().toISOString(), files });
  writeNewFile(path.join(folder, manifestName), manifest, disk);
}

async function writeArrays(file: string, arrays: ReadonlyMap<string, ArraySource>, disk: Disk): Promise<FileEntry> {
  const parts: FilePart[] = [];
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted() {
    const end = (tensor: string | null) => parts.push({ tensor, bytes, sha256: hash.copy().digest('hex') });
    for await (const piece of safetensorsPieces(planSafetensors(arrays), end)) {
      yield piece;
      bytes += piece.length;
    }
  }
  return { ...(await writeNewPieces(file, counted(), disk, hash)), parts };
}

/**
 * The newest sound checkpoint.
 * @returns `checkpoint` undefined when there is none; one line in `warnings` for each damaged one that was passed over
 * @throws UserError('io') when the disk refuses, UserError('data') when a later version wrote it
 */
export function loadLatest(folder: string): Promise<{ checkpoint: Checkpoint | undefined; warnings: string[] }> {
  return firstSound(listCheckpoints(folder), 'damaged and passed over');
}

/** The checkpoint of a step: its newest sound revision; undefined when there is none. */
export function loadStep(
  folder: string,
  step: number,
): Promise<{ checkpoint: Checkpoint | undefined; warnings: string[] }> {
  const entries = listCheckpoints(folder).filter((candidate) => candidate.step === step);
  return firstSound(entries, 'damaged');
}

async function firstSound(entries: readonly CheckpointEntry[], damaged: string) {
  const warnings: string[] = [];
  for (const entry of entries) {
    const read = await readCheckpoint(entry);
    if (typeof read !== 'string') return { checkpoint: read, warnings };
    warnings.push(`the checkpoint ${entry.path} is ${damaged}: ${read}`);
  }
  return { checkpoint: undefined, warnings };
}

/** Verifies a checkpoint; says what is wrong with a damaged one. */
async function readCheckpoint(entry: CheckpointEntry): Promise<Checkpoint | string> {
  const manifest = manifestOf(entry);
  if (typeof manifest === 'string') return `${manifestName} ${manifest}`;
  if (manifest.step !== entry.step) return `${manifestName} is that of step ${manifest.step}`;

  const files = new Map<string, StoredArrays>();
  let json: unknown;
  for (const [name, expected] of Object.entries(manifest.files)) {
    const file = path.join(entry.path, name);
    const damage = await damageOf(file, expected);
    if (damage) return `${name} ${damage}`;
    const [, arraysName] = tensorFile.exec(name) ?? [];
    if (arraysName) files.set(arraysName, await openStoredArrays(file));
    else if (name === stateName) json = parseJson(readText(file, 'manifest'));
  }
  return { step: entry.step, path: entry.path, files, json };
}

function manifestOf(entry: CheckpointEntry): Manifest | string {
  try {
    return readManifest(entry);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (errorCode(error) === 'ENOENT') return 'is missing';
    if (errorCode(error) !== '') throw asUserError(error, 'read', path.join(entry.path, manifestName));
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
