/**
 * A run in a thread of its own: the runtime blocks the thread that computes, and whoever serves an editor or a terminal
 * must not be blocked. Takes a RunRequest as workerData and RunCommands as messages; sends RunMessages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { RunCommand, RunMessage } from '../../protocol/run-messages.ts';
import { RunControl } from './control.ts';
import type { RunRequest } from './open.ts';
import { trainingRun } from './training-run.ts';

const port = parentPort!;
const control = new RunControl();
port.on('message', (command: RunCommand) => control.handle(command));
await trainingRun(workerData as RunRequest, control, (message) => port.postMessage(message, buffersOf(message)));
port.close();

/** What is handed over rather than copied: the live probe's fields. */
function buffersOf(message: RunMessage): ArrayBuffer[] {
  return message.type === 'probe' ? message.tensors.map(({ data }) => data.buffer as ArrayBuffer) : [];
}
