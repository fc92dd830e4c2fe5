/**
 * A run in a thread of its own: the runtime blocks the thread that computes, and whoever serves an editor or a terminal
 * must not be blocked. Takes a RunRequest as workerData and RunCommands as messages; sends RunMessages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { RunControl } from './control.ts';
import type { RunRequest } from './open.ts';
import type { ThreadCommand } from './run-thread.ts';
import { trainingRun } from './training-run.ts';

const port = parentPort!;
const control = new RunControl();
// The runtime is left between two of its calls, when messages come; here `exit` ends the thread, and gives the lock back.
port.on('message', (command: ThreadCommand) => (command.type === 'end' ? process.exit() : control.handle(command)));
await trainingRun(workerData as RunRequest, control, (message) => port.postMessage(message, buffersOf(message)));
port.close();

/** What is handed over rather than copied: the live probe's fields. */
function buffersOf(message: RunMessage): ArrayBuffer[] {
  return message.type === 'probe' ? message.tensors.map(({ data }) => data.buffer as ArrayBuffer) : [];
}
