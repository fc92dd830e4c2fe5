/**
 * Recorded score fields: what a debugger wants to look at later, one safetensors file per kind and recorded step,
 * `fields/probe/step-00001000.safetensors`. The folder is its own index, and each file's header says how far its numbers go.
 *
 * Each kind has a disk budget. What does not fit makes room by thinning out older steps evenly (thin.ts); the first
 * step stays as long as it can, the newest always.
 */
import fs from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { type Disk, errorCode, onDisk, realDisk } from '../../files/disk.ts';
import { listFolder, makeFolder } from '../../files/folders.ts';
import { readBytes } from '../../files/regular.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { type FieldKind, fieldKinds } from '../../training/session.ts';
import { decodeTensors, encodeHalfTensors, encodeTensors } from '../../weights/tensor-file.ts';
import { rangesKey, rangesOf } from './ranges.ts';
import { type Recorded, stepsToDrop } from './thin.ts';

export interface FieldEntry extends Recorded {
  readonly kind: FieldKind;
  readonly path: string;
}

export interface RecordOptions {
  /** Disk for all recorded steps of this kind. Default: no limit. */
  readonly budgetBytes?: number;
  /** float16 halves the size, but at low noise mu - x is smaller than its rounding. Default float32. */
  readonly dtype?: 'F32' | 'F16';
  /** Free text for the file's header, e.g. the noise levels. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly disk?: Disk;
}

/** The budget does not hold even one step: the newest is kept all the same. */
export interface RecordResult {
  readonly path: string;
  /** Steps deleted to make room. */
  readonly dropped: readonly number[];
  readonly overBudget: boolean;
}

const fileName = /^step-(\d{8,})\.safetensors$/;

/**
 * Records a step, replacing what was recorded for it before.
 * @param folder the run's fields folder
 * @throws UserError('io')
 */
export function recordFields(
  folder: string,
  kind: FieldKind,
  step: number,
  tensors: ReadonlyMap<string, TensorData>,
  options: RecordOptions = {},
): RecordResult {
  const { budgetBytes = Number.POSITIVE_INFINITY, dtype = 'F32', metadata = {}, disk = realDisk } = options;
  const encode = dtype === 'F16' ? encodeHalfTensors : encodeTensors;
  const ranges = JSON.stringify(rangesOf(kind, tensors));
  const bytes = encode(tensors, { kind, step: String(step), [rangesKey]: ranges, ...metadata });
  const before = listFields(folder, kind).filter((entry) => entry.step !== step);
  const dropped = stepsToDrop(before, { step, bytes: bytes.length }, budgetBytes);
  removeEntries(before.filter((entry) => dropped.includes(entry.step)));
  makeFolder(path.join(folder, kind));
  const file = fieldPath(folder, kind, step);
  writeFileAtomic(file, bytes, disk);
  return { path: file, dropped, overBudget: bytes.length > budgetBytes };
}

/** The recorded steps of a kind, ascending. */
export function listFields(folder: string, kind: FieldKind): FieldEntry[] {
  const entries = listFolder(path.join(folder, kind)).flatMap((name): FieldEntry[] => {
    const [, digits] = fileName.exec(name) ?? [];
    if (!digits) return [];
    const file = path.join(folder, kind, name);
    const bytes = sizeOrUndefined(file);
    return bytes === undefined ? [] : [{ kind, step: Number(digits), path: file, bytes }];
  });
  return entries.sort((a, b) => a.step - b.step);
}

/** @throws UserError('io') when the step is not recorded (any more), UserError('weights') when its file is damaged */
export function readFields(
  folder: string,
  kind: FieldKind,
  step: number,
): { tensors: Map<string, TensorData>; metadata: Record<string, string> } {
  const file = fieldPath(folder, kind, step);
  return decodeTensors(
    onDisk('read', file, () => readBytes(file, 'tensors')),
    file,
  );
}

/**
 * Forgets the steps after one, for a run that goes back to it and makes them again; not what a stopped run had in hand, which
 * is the evidence of why it stopped.
 * @returns the steps deleted
 */
export function removeFieldsAfter(folder: string, step: number): number[] {
  const madeAgain = fieldKinds.filter((kind) => kind !== 'stop');
  const later = madeAgain.flatMap((kind) => listFields(folder, kind)).filter((entry) => entry.step > step);
  removeEntries(later);
  return later.map((entry) => entry.step);
}

function fieldPath(folder: string, kind: FieldKind, step: number): string {
  return path.join(folder, kind, `step-${String(step).padStart(8, '0')}.safetensors`);
}

function removeEntries(entries: readonly FieldEntry[]): void {
  for (const entry of entries) onDisk('delete', entry.path, () => fs.rmSync(entry.path, { force: true }));
}

/** The recorder may delete a file while somebody lists the folder. */
function sizeOrUndefined(file: string): number | undefined {
  return onDisk('read', file, () => {
    try {
      return fs.statSync(file).size;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}
