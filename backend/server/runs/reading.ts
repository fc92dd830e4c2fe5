/** What a run folder holds: its overview, curves, pictures and fields. */
import path from 'node:path';
import { containedIfThere, readOwnText } from '../../files/contained.ts';
import { asUserError } from '../../files/disk.ts';
import { readBytesAside } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import type { FieldKindName, Fields, RunOverview, RunRecord } from '../../protocol/rpc/index.ts';
import { readAnnotations } from '../../runs/folder/annotations.ts';
import { type RunPaths, type RunSummary, readRun } from '../../runs/folder/run-folder.ts';
import { decodeTensors } from '../../weights/tensor-file.ts';
import type { RunHistory } from './history.ts';
import { recordOf } from './record.ts';
import { type RecordedFile, type RecordedKind, recordedFile, recordedSteps } from './recorded-steps.ts';

/** @param record as the list has it; undefined for a run that is not in a watched folder */
export function overviewOf(paths: RunPaths, history: RunHistory, record: RunRecord | undefined): RunOverview {
  const annotations = readAnnotations(paths.folder);
  const { pictures } = history;
  const { config, warnings } = pictures ? { config: '', warnings: [] } : readConfigText(paths);
  const steps = (kind: RecordedKind) => recordedSteps(paths, kind);
  const summary = readRun(paths.folder);
  return {
    record: record ?? recordOf({ summary, annotations, standing: undefined, secondsLeft: null }),
    config,
    tags: history.tags(),
    histograms: history.histograms.tags(),
    samples: pictures?.steps ?? steps('samples'),
    checkpoints: steps('checkpoint'),
    fields: { training: steps('training'), probe: steps('probe'), stop: steps('stop') },
    warnings: [
      ...history.warnings(),
      ...warnings,
      ...(annotations.warning ? [annotations.warning] : []),
      ...earlierStops(summary),
    ],
  };
}

/** Why a run that goes on was once stopped by a NaN: its curves and fields still show where. */
function earlierStops({ info }: RunSummary): string[] {
  const stops = (info?.failures ?? []).filter(({ fields }) => fields !== undefined);
  return stops.map(({ message, at }) => `it was stopped before, at ${at}: ${message}`);
}

/** A run whose config is gone can still be looked at. */
function readConfigText(paths: RunPaths): { config: string; warnings: string[] } {
  const file = containedIfThere(paths.folder, path.basename(paths.config));
  if (file) return { config: readOwnText(paths.folder, path.basename(paths.config), 'config'), warnings: [] };
  return { config: '', warnings: [`${paths.config} is missing`] };
}

/** @throws UserError('io') when nothing (more) is recorded for the step */
export async function readSamplesAt(paths: RunPaths, step: number): Promise<{ step: number; png: Uint8Array }> {
  return { step, png: await readRecorded(paths, 'samples', step) };
}

/** @throws UserError('io') when nothing (more) is recorded for the step, UserError('weights') when its file is damaged */
export async function readFieldsAt(paths: RunPaths, kind: FieldKindName, step: number): Promise<Fields> {
  const bytes = await readRecorded(paths, kind, step);
  const { tensors, metadata } = decodeTensors(bytes, path.join(paths.folder, recordedFile(kind, step)));
  const named = [...tensors].map(([name, { shape, data }]) => ({ name, shape: [...shape], data }));
  return { kind, step, tensors: named, metadata };
}

async function readRecorded(paths: RunPaths, kind: RecordedFile, step: number): Promise<Uint8Array> {
  const file = containedIfThere(paths.folder, recordedFile(kind, step));
  if (!file) {
    const hint = 'Older steps make room for newer ones; choose one that is listed.';
    throw new UserError('io', `${paths.folder} has no ${kind} of step ${step}`, hint);
  }
  try {
    return await readBytesAside(file, kind === 'samples' ? 'picture' : 'tensors');
  } catch (error) {
    throw asUserError(error, 'read', file);
  }
}

/** The resolved config of a run, as text. Throws UserError('io'). */
export function configTextOf(paths: RunPaths): string {
  return readOwnText(paths.folder, path.basename(paths.config), 'config');
}
