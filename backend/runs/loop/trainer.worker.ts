/**
 * A run in a thread of its own: the runtime blocks the thread that computes, and whoever serves an editor or a terminal
 * must not be blocked. Takes a RunRequest as workerData and AskingFrames as messages; sends ThreadMessages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AskingFrame } from '../../protocol/run-link.ts';
import { Answerer } from '../asking/answerer.ts';
import { RunControl } from './control.ts';
import type { RunRequest } from './open.ts';
import type { EndThread, ThreadMessage } from './run-thread.ts';
import { trainingRun } from './training-run.ts';

const port = parentPort!;
const post = (message: ThreadMessage) => port.postMessage(message, buffersOf(message));
const control = new RunControl();
const answerer = new Answerer(control.ask, post);
// The runtime is left between two of its calls, when messages come; here `exit` ends the thread, and gives the lock back.
port.on('message', (frame: AskingFrame | EndThread) => (frame.type === 'end' ? process.exit() : answerer.take(frame)));
await trainingRun(workerData as RunRequest, control, post);
port.close();

/** What is handed over rather than copied: the numbers of the live probe and of an answer. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (value instanceof Float32Array) return [value.buffer as ArrayBuffer];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.values(value).flatMap(buffersOf);
}
