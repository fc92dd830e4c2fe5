/** Starts a run in a thread of its own and follows it. */
import { Worker } from 'node:worker_threads';
import { UserError } from '../../protocol/errors.ts';
import type { AnsweringFrame } from '../../protocol/run-link.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import type { AskRun } from '../../protocol/run-requests.ts';
import { Asker } from '../asking/asker.ts';
import { renewForThread } from '../folder/lock.ts';
import type { RunRequest } from './open.ts';

/** To the thread: it is to end at once; or whoever told it to stop will not wait long for other ranks. */
export type ToThread = { readonly type: 'end' } | { readonly type: 'hurry' };

/** From the thread. */
export type ThreadMessage = RunMessage | AnsweringFrame;

export interface RunThread {
  readonly ask: AskRun;
  /**
   * Ends the thread as soon as it leaves native code: a thread that is torn out of that takes the process with it. What the
   * last checkpoint does not hold is lost.
   */
  kill(): Promise<void>;
  /** The process was told to end: whoever told it will not wait long. */
  hurry(): void;
  /** Settles after the last message. */
  readonly ended: Promise<void>;
}

/** @param onMessage called for every message; the last one is `ended` or `failed`, whatever happens */
export function startRunThread(request: RunRequest, onMessage: (message: RunMessage) => void): RunThread {
  const worker = new Worker(new URL('./trainer.worker.ts', import.meta.url), { workerData: request });
  const asker = new Asker((frame) => worker.postMessage(frame));
  let folder: string | null = null;
  let endRenewing = () => {};
  let over = false;
  const fail = (message: string, stack = '') => {
    if (over) return;
    over = true;
    onMessage({ type: 'failed', folder, error: { kind: 'bug', message, hint: '', stack } });
  };
  worker.on('message', (message: ThreadMessage) => {
    if (message.type === 'answer' || message.type === 'error') return asker.take(message);
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
      asker.close(new UserError('cancelled', 'the run ended before it could answer'));
      resolve();
    });
  });
  return {
    ask: asker.ask,
    kill() {
      worker.postMessage({ type: 'end' } satisfies ToThread);
      return ended;
    },
    hurry: () => worker.postMessage({ type: 'hurry' } satisfies ToThread),
    ended,
  };
}
