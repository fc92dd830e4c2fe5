/** Starts a run in a thread of its own and follows it. */
import { Worker } from 'node:worker_threads';
import type { RunCommand, RunMessage } from '../../protocol/run-messages.ts';
import { renewForThread } from '../folder/lock.ts';
import type { RunRequest } from './open.ts';

export type ThreadCommand = RunCommand | { readonly type: 'end' };

export interface RunThread {
  send(command: RunCommand): void;
  /**
   * Ends the thread as soon as it leaves native code: a thread that is torn out of that takes the process with it. What the
   * last checkpoint does not hold is lost.
   */
  kill(): Promise<void>;
  /** Settles after the last message. */
  readonly ended: Promise<void>;
}

/** @param onMessage called for every message; the last one is `ended` or `failed`, whatever happens */
export function startRunThread(request: RunRequest, onMessage: (message: RunMessage) => void): RunThread {
  const worker = new Worker(new URL('./trainer.worker.ts', import.meta.url), { workerData: request });
  let folder: string | null = null;
  let endRenewing = () => {};
  let over = false;
  const fail = (message: string, stack = '') => {
    if (over) return;
    over = true;
    onMessage({ type: 'failed', folder, error: { kind: 'bug', message, hint: '', stack } });
  };
  worker.on('message', (message: RunMessage) => {
    if (message.type === 'opened') {
      folder = message.folder;
      endRenewing = renewForThread(folder);
    }
    if (message.type === 'ended' || message.type === 'failed') over = true;
    onMessage(message);
  });
  const ended = new Promise<void>((resolve) => {
    worker.on('error', (error) => fail(`the training thread crashed: ${error.message}`, error.stack));
    worker.on('exit', (code) => {
      endRenewing();
      fail(`the training thread ended early (exit code ${code})`);
      resolve();
    });
  });
  return {
    send: (command) => worker.postMessage(command),
    kill() {
      worker.postMessage({ type: 'end' } satisfies ThreadCommand);
      return ended;
    },
    ended,
  };
}
