/** One request for an export: a file, or the folder of a text-to-image model. */

import { exportModel } from '../../export/export-model.ts';
import { exportTextModel } from '../../export/text/export-text.ts';
import { modelPath, openModel } from '../../models/model-file.ts';
import { isTextModel } from '../../models/text/is-text-model.ts';
import { UserError } from '../../protocol/errors.ts';
import type { ExportWork, OnProgress, Results } from './work.ts';

/** Throws UserError: 'numeric' for an export that computes other pixels, 'cancelled', and as the exports do. */
export function exportOnnx(work: ExportWork, report: OnProgress, signal: AbortSignal): Promise<Results['export']> {
  return isTextModel(modelPath(work.model)) ? exportFolder(work, report, signal) : exportFile(work, report, signal);
}

async function exportFile({ model: name, file }: ExportWork, report: OnProgress, signal: AbortSignal) {
  report('loading', 0, 3);
  const model = await openModel(name);
  if (signal.aborted) throw new UserError('cancelled', 'The export was stopped; nothing was written.');
  const done = await exportModel(model, file, 1, (stage) => report(stage, stage === 'writing' ? 1 : 2, 3));
  if (done.ok) return { file, bytes: done.bytes };
  const message = `${file} was written, but run on its own it computes other pixels than ${model.path}`;
  const hint = `The largest difference is ${done.largestError}, in pixels up to ${done.largest}. Do not use the file.`;
  throw new UserError('numeric', message, hint);
}

async function exportFolder({ model, file }: ExportWork, report: OnProgress, signal: AbortSignal) {
  const done = await exportTextModel({ model: modelPath(model), target: file, onStage: report, signal });
  if (done.ok) return { file, bytes: done.bytes };
  const message = `${file} was not written: run on its own, the export of ${model} computes other pixels`;
  const hint = `The largest difference is ${done.largestError}, in pixels up to ${done.largest}. Please report this.`;
  throw new UserError('numeric', message, hint);
}
