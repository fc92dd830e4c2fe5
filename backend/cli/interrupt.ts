/** Ctrl-C for work that can be broken off: the first asks it to stop, the second ends the process. */
import { exitCodes } from '../protocol/errors.ts';
import { listenForStop } from './terminal.ts';

/** Runs `work` with a signal that SIGINT, SIGTERM and SIGHUP raise. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const listening = listenForStop((why) => {
    if (controller.signal.aborted) process.exit(exitCodes.cancelled);
    if (why) process.stderr.write(`stopping: ${why}\n`);
    controller.abort();
  });
  try {
    return await work(controller.signal);
  } finally {
    listening.dispose();
  }
}
