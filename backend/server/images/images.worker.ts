/**
 * Makes pictures and exports models in a thread of its own, because the runtime blocks the thread that computes. One
 * piece of work at a time: whoever sends waits for `done` or `failed` before the next.
 */
import { parentPort } from 'node:worker_threads';
import { UserError } from '../../protocol/errors.ts';
import { exportModel } from '../../runs/export-model.ts';
import { openModel } from '../../runs/model-file.ts';
import { describeError } from '../../runs/training/describe-error.ts';
import { draw } from './draw.ts';
import { ReadySources } from './ready-sources.ts';
import type { ExportWork, FromThread, OnProgress, Results, ToThread, Work } from './work.ts';

const port = parentPort!;
const ready = new ReadySources();
let cancel = new AbortController();

const say = (message: FromThread) => port.postMessage(message);
const onProgress: OnProgress = (label, done, total) => say({ type: 'progress', label, done, total });

async function perform(work: Work): Promise<Results[Work['type']]> {
  if (work.type === 'generate') return draw(work, ready, onProgress, cancel.signal);
  if (work.type === 'export') return exportOnnx(work);
  await ready.release();
  return null;
}

async function exportOnnx({ model: name, file }: ExportWork): Promise<Results['export']> {
  onProgress('loading', 0, 3);
  const model = await openModel(name);
  if (cancel.signal.aborted) throw new UserError('cancelled', 'The export was stopped; nothing was written.');
  const done = await exportModel(model, file, 1, (stage) => onProgress(stage, stage === 'writing' ? 1 : 2, 3));
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
