/** A rank that another one leads, from the command line: it says nothing unless it fails itself. */
import { errorFrom } from '../../files/describe-error.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import type { RunRequest } from '../../runs/loop/open.ts';
import { startRunThread } from '../../runs/loop/run-thread.ts';
import { listenForStop, outputIsOptional } from '../terminal.ts';

/** @returns the exit code; throws UserError when this very rank fails */
export async function follow(request: RunRequest): Promise<number> {
  let last: RunMessage | undefined;
  const thread = startRunThread(request, (message) => {
    last = message;
  });
  outputIsOptional();
  // The leader is told as well, and says when to end. If there is none any more, nobody will.
  const listening = listenForStop(() => thread.hurry());
  try {
    await thread.ended;
  } finally {
    listening.dispose();
  }
  if (last?.type === 'failed') throw errorFrom(last.error);
  return 0;
}
