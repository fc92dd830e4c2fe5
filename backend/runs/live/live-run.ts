/** A run in a thread of its own that other processes can watch and ask as well as this one. */
import type { RunMessage } from '../../protocol/run-messages.ts';
import { type AskRun, runRequests } from '../../protocol/run-requests.ts';
import type { RunRequest } from '../loop/open.ts';
import { type RunThread, startRunThread } from '../loop/run-thread.ts';
import { openEndpoint } from './endpoint.ts';

export interface LiveRun extends RunThread {
  /** Where other processes reach it; '' when they cannot. */
  readonly contact: string;
  /** As when asked to stop; its messages tell what comes of it. */
  stop(): void;
}

/**
 * Call it in the main thread.
 * @param onMessage called for every message; the last one is `ended` or `failed`, whatever happens
 */
export async function startLiveRun(request: RunRequest, onMessage: (message: RunMessage) => void): Promise<LiveRun> {
  let stopping = false;
  const tell = (message: RunMessage) => {
    // Between the command and the end of an iteration the thread may still say that it runs.
    if (message.type === 'state' && stopping) return;
    stopping ||= message.type === 'state' && message.state === 'stopping';
    endpoint.publish(message);
    onMessage(message);
  };
  const ask: AskRun = (definition, params, signal) => {
    if (definition.method === runRequests.stop.method) tell({ type: 'state', state: 'stopping' });
    return thread.ask(definition, params, signal);
  };
  const onNote = (text: string) => onMessage({ type: 'note', level: 'warning', text });
  const endpoint = await openEndpoint({ ask: (...asked) => ask(...asked), onNote });
  const thread = startRunThread({ ...request, contact: endpoint.contact }, tell);
  return {
    contact: endpoint.contact,
    ask,
    stop: () => void ask(runRequests.stop, {}).catch(() => {}),
    kill: () => thread.kill(),
    hurry: () => thread.hurry(),
    ended: thread.ended.then(() => endpoint.close()),
  };
}
