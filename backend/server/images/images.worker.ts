/**
 * Makes pictures and exports models in a thread of its own, because the runtime blocks the thread that computes. One
 * piece of work at a time: whoever sends waits for `done` or `failed` before the next.
 */
import { parentPort } from 'node:worker_threads';
import { describeError } from '../../files/describe-error.ts';
import { modelPath } from '../../models/model-file.ts';
import { isDiffusersFolder } from '../../weights/diffusers/index.ts';
import { draw } from './draw.ts';
import { drawText } from './draw-text.ts';
import { exportOnnx } from './export.ts';
import { ReadySources } from './ready-sources.ts';
import { ReadyTexts } from './ready-texts.ts';
import type { FromThread, Report, Results, ToThread, Work } from './work.ts';

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
  if (work.type === 'export') return exportOnnx(work, report.progress, cancel.signal);
  await ready.release();
  await texts.release();
  return null;
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
