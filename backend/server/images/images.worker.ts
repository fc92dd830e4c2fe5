/**
 * Makes pictures and exports models in a thread of its own, because the runtime blocks the thread that computes. One
 * piece of work at a time: whoever sends waits for `done` or `failed` before the next.
 */
import { parentPort } from 'node:worker_threads';
import { UserError } from '../../protocol/errors.ts';
import { exportModel } from '../../runs/export-model.ts';
import { modelPath, openModel } from '../../runs/model-file.ts';
import { describeError } from '../../runs/training/describe-error.ts';
import { isDiffusersFolder } from '../../weights/diffusers/index.ts';
import { draw } from './draw.ts';
import { drawText } from './draw-text.ts';
import { ReadySources } from './ready-sources.ts';
import { ReadyTexts } from './ready-texts.ts';
import type { ExportWork, FromThread, Report, Results, ToThread, Work } from './work.ts';

const port = parentPort!;
const ready = new ReadySources();
const texts = new ReadyTexts();
let cancel = new AbortController();

const say = (message: FromThread) => port.postMessage(message);
const report: Report = {
  progress: (label, done, total) => say({ type: 'progress', label, done, total }),
  preview: (step, steps, png) => say({ type: 'preview', step, steps, png }),
};

async function perform(work: Work): Promise<Results[Work['type']]> {
  if (work.type === 'generate') {
    const isText = isDiffusersFolder(modelPath(work.settings.model));
    return isText ? drawText(work, texts, report, cancel.signal) : draw(work, ready, report.progress, cancel.signal);
  }
  if (work.type === 'export') return exportOnnx(work);
  await ready.release();
  await texts.release();
  return null;
}

async function exportOnnx({ model: name, file }: ExportWork): Promise<Results['export']> {
  report.progress('loading', 0, 3);
  const model = await openModel(name);
  if (cancel.signal.aborted) throw new UserError('cancelled', 'The export was stopped; nothing was written.');
  const done = await exportModel(model, file, 1, (stage) => report.progress(stage, stage === 'writing' ? 1 : 2, 3));
  if (done.ok) return { file, bytes: done.bytes };
  const message = `${file} was written, but run on its own it computes other pixels than ${model.path}`;
  const hint = `The largest difference is ${done.largestError}, in pixels up to ${done.largest}. Do not use the file.`;
  throw new UserError('numeric', message, hint);
}

port.on('message', (message: ToThread) => {
  if (message.type === 'cancel') {
    cancel.abort();
    return;
  }
  cancel = new AbortController();
  perform(message).then(
    (result) => say({ type: 'done', result }),
    (error: unknown) => say({ type: 'failed', error: describeError(error) }),
  );
});
