/**
 * A run in a thread of its own: the runtime may block the thread that computes, and whoever serves an editor or a terminal
 * must not be blocked. Takes a RunRequest as workerData and AskingFrames as messages; sends ThreadMessages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../../files/describe-error.ts';
import { realDisk } from '../../files/disk.ts';
import type { AskingFrame } from '../../protocol/run-link.ts';
import type { Launched } from '../../ranks/launched.ts';
import { alone, type Ranks } from '../../ranks/ranks.ts';
import { Answerer } from '../asking/answerer.ts';
import { RunControl } from './control.ts';
import { followRun } from './follow.ts';
import type { RunRequest } from './open.ts';
import type { ThreadMessage, ToThread } from './run-thread.ts';
import { trainingRun } from './training-run.ts';

const port = parentPort!;
const post = (message: ThreadMessage) => port.postMessage(message, buffersOf(message));
const control = new RunControl();
let ranks: Ranks = alone;
const answerer = new Answerer(control.ask, post);
// Messages come where no native code runs in this thread; here `exit` ends the thread, once a program that runs in another one has
// ended, and gives the lock back.
port.on('message', (frame: AskingFrame | ToThread) => {
  if (frame.type === 'hurry') ranks.hurry();
  else if (frame.type === 'end') process.exit();
  else answerer.take(frame);
});
await run(workerData as RunRequest);
port.close();

async function run(request: RunRequest): Promise<void> {
  try {
    ranks = request.launched ? await join(request.launched) : alone;
  } catch (error) {
    return post({ type: 'failed', folder: null, error: describeError(error) });
  }
  if (ranks.rank > 0) await followRun(request, ranks, control.signal, post);
  else await trainingRun(request, control, post, realDisk, ranks);
}

/** A process by itself loads nothing of it. */
async function join(launched: Launched): Promise<Ranks> {
  const { joinRanks } = await import('../../ranks/mpi/mpi-ranks.ts');
  return joinRanks(launched);
}

/** What is handed over rather than copied: the numbers of the live probe and of an answer. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (value instanceof Float32Array) return [value.buffer as ArrayBuffer];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.values(value).flatMap(buffersOf);
}
