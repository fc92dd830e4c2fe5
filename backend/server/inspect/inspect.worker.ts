/**
 * Inspects scores in a thread of its own, because the runtime blocks the thread that computes. The last runs' networks and
 * programs stay ready. One piece of work at a time: whoever sends waits for `done` or `failed` before the next.
 */
import { parentPort } from 'node:worker_threads';
import { describeError } from '../../files/describe-error.ts';
import { RunSubject } from '../../runs/inspect/run-subject.ts';
import { Recent } from '../recent.ts';
import type { FromThread, Results, ToThread, Work } from './work.ts';

/** Two runs side by side. */
const kept = 2;

const port = parentPort!;
const ready = new Recent<RunSubject>(kept);
let cancel = new AbortController();
const say = (message: FromThread, buffers: ArrayBuffer[] = []) => port.postMessage(message, buffers);
const progress = (label: string) => (done: number, total: number) => say({ type: 'progress', label, done, total });

function subject(folder: string, signal: AbortSignal): Promise<RunSubject> {
  return ready.get(folder, () => {
    progress('opening')(0, 1);
    return RunSubject.open(folder, { signal });
  });
}

async function perform(work: Exclude<Work, { type: 'release' }>): Promise<Results[Work['type']]> {
  const { signal } = cancel;
  const opened = await subject(work.folder, signal);
  if (work.type === 'describe') return opened.describe();
  if (work.type === 'plane') return opened.plane(work.question);
  if (work.type === 'decode') {
    const { shape, data } = await opened.decode(work.latents, signal);
    return { name: work.latents.name, shape: [...shape], data: data as Float32Array<ArrayBuffer> };
  }
  return opened.inspect(work.step, work.query, { signal, onProgress: progress('levels') });
}

port.on('message', (message: ToThread) => {
  if (message.type === 'cancel') {
    cancel.abort();
    return;
  }
  cancel = new AbortController();
  const work = message.type === 'release' ? ready.release().then(() => null) : perform(message);
  work.then(
    (result) => say({ type: 'done', result }, buffersOf(result)),
    (error: unknown) => say({ type: 'failed', error: describeError(error) }),
  );
});

/** The numbers of an answer are handed over rather than copied. */
function buffersOf(result: Results[Work['type']]): ArrayBuffer[] {
  if (!result) return [];
  if ('muReal' in result) {
    const { muReal, muFake, scoreReal, scoreFake, densityReal, densityFake, samples } = result;
    const all = [muReal, muFake, scoreReal, scoreFake, densityReal, densityFake, samples];
    return all.flatMap((numbers) => (numbers ? [numbers.buffer as ArrayBuffer] : []));
  }
  if ('data' in result) return [result.data.buffer as ArrayBuffer];
  if (!('tensors' in result)) return [];
  return [...result.tensors, ...result.strip].map(({ data }) => data.buffer as ArrayBuffer);
}
