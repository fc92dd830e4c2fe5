/**
 * Checkpoints: everything a run needs to go on bit for bit.
 *
 * A checkpoint is written into a temporary folder, file by file, each synced, the manifest with their hashes last; then the
 * folder is renamed. Whatever happens in between (kill -9, power cut, full disk), the checkpoints before it are
 * untouched. Reading verifies every byte; a damaged checkpoint is named and the one before it is used.
 */
import fs from 'node:fs';
import path from 'node:path';
import { syncFolder, temporaryPath, writeNewFile } from '../../files/atomic.ts';
import { type Disk, onDisk, realDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { decodeTensors, encodeTensors } from '../../weights/tensor-file.ts';
import { type CheckpointEntry, checkpointName, listCheckpoints, manifestName } from './checkpoint-list.ts';
import { decodeManifest, encodeManifest, entryOf, type FileEntry, mismatch } from './checkpoint-manifest.ts';

export { type CheckpointEntry, listCheckpoints, pruneCheckpoints, removeCheckpointsAfter } from './checkpoint-list.ts';

const stateName = 'state.json';
const tensorFile = /^([a-z][a-z0-9_-]*)\.safetensors$/;

/** What is saved: named sets of tensors (one safetensors file each, float32) and a JSON value. */
export interface CheckpointContent {
  readonly files: Readonly<Record<string, ReadonlyMap<string, TensorData>>>;
  readonly json: unknown;
}

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
  readonly files: Readonly<Record<string, Map<string, TensorData>>>;
  readonly json: unknown;
}

/**
 * Saves a checkpoint; older ones stay (`pruneCheckpoints` deletes).
 * @param folder the run's checkpoints folder
 * @returns the path of the new checkpoint
 * @throws UserError('io'); no debris stays and the checkpoints before are untouched
 */
export function saveCheckpoint(
  folder: string,
  step: number,
  content: CheckpointContent,
  disk: Disk = realDisk,
): string {
  makeFolder(folder);
  const before = listCheckpoints(folder).find((entry) => entry.step === step);
  const target = path.join(folder, checkpointName(step, (before?.revision ?? 0) + 1));
  const temporary = temporaryPath(target);
  try {
    makeFolder(temporary);
    writeContent(temporary, step, content, disk);
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

function writeContent(folder: string, step: number, content: CheckpointContent, disk: Disk): void {
  const files: Record<string, FileEntry> = {};
  const add = (name: string, bytes: Uint8Array) => {
    writeNewFile(path.join(folder, name), bytes, disk);
    files[name] = entryOf(bytes);
  };
  for (const [name, tensors] of Object.entries(content.files)) {
    if (!tensorFile.test(`${name}.safetensors`)) throw new Error(`"${name}" cannot name a file of a checkpoint`);
    add(`${name}.safetensors`, encodeTensors(tensors));
  }
  add(stateName, Buffer.from(`${JSON.stringify(content.json, null, 2)}\n`));
  const manifest = encodeManifest({ format: 1, step, createdAt: new Date().toISOString(), files });
  writeNewFile(path.join(folder, manifestName), manifest, disk);
}

/**
 * The newest sound checkpoint.
 * @returns `checkpoint` undefined when there is none; one line in `warnings` for each damaged one that was passed over
 * @throws UserError('io') when the disk refuses
 */
export function loadLatest(folder: string): { checkpoint: Checkpoint | undefined; warnings: string[] } {
  const warnings: string[] = [];
  for (const entry of listCheckpoints(folder)) {
    const read = readCheckpoint(entry);
    if (typeof read !== 'string') return { checkpoint: read, warnings };
    warnings.push(`the checkpoint ${entry.path} is damaged and passed over: ${read}`);
  }
  return { checkpoint: undefined, warnings };
}

/** The checkpoint of a step: its newest sound revision; undefined when there is none. */
export function loadStep(folder: string, step: number): { checkpoint: Checkpoint | undefined; warnings: string[] } {
  const warnings: string[] = [];
  for (const entry of listCheckpoints(folder).filter((candidate) => candidate.step === step)) {
    const read = readCheckpoint(entry);
    if (typeof read !== 'string') return { checkpoint: read, warnings };
    warnings.push(`the checkpoint ${entry.path} is damaged: ${read}`);
  }
  return { checkpoint: undefined, warnings };
}

/** Reads and verifies a checkpoint; says what is wrong with a damaged one. */
function readCheckpoint(entry: CheckpointEntry): Checkpoint | string {
  const manifestText = readOrUndefined(path.join(entry.path, manifestName));
  if (!manifestText) return `${manifestName} is missing`;
  const manifest = attempt(() => decodeManifest(manifestText.toString('utf8')));
  if (typeof manifest === 'string') return `${manifestName}: ${manifest}`;
  if (manifest.step !== entry.step) return `${manifestName} is that of step ${manifest.step}`;

  const files: Record<string, Map<string, TensorData>> = {};
  let json: unknown;
  for (const [name, expected] of Object.entries(manifest.files)) {
    const content = readOrUndefined(path.join(entry.path, name));
    if (!content) return `${name} is missing`;
    const wrong = mismatch(content, expected);
    if (wrong) return `${name}: ${wrong}`;
    const [, tensorsName] = tensorFile.exec(name) ?? [];
    if (tensorsName) files[tensorsName] = decodeTensors(content, path.join(entry.path, name)).tensors;
    else if (name === stateName) json = JSON.parse(content.toString('utf8'));
  }
  return { step: entry.step, path: entry.path, files, json };
}

function attempt<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readOrUndefined(file: string): Buffer | undefined {
  return onDisk('read', file, () => (fs.existsSync(file) ? fs.readFileSync(file) : undefined));
}
