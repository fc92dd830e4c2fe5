/** A run in a thread of its own that other processes can watch and command as well as this one. */
import type { RunCommand, RunMessage } from '../../protocol/run-messages.ts';
import type { RunRequest } from '../loop/open.ts';
import { type RunThread, startRunThread } from '../loop/run-thread.ts';
import { openEndpoint } from './endpoint.ts';

export interface LiveRun extends RunThread {
  /** Where other processes reach it; '' when they cannot. */
  readonly contact: string;
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
  const send = (command: RunCommand) => {
    if (command.type === 'stop') tell({ type: 'state', state: 'stopping' });
    thread.send(command);
  };
  const onNote = (text: string) => onMessage({ type: 'note', level: 'warning', text });
  const endpoint = await openEndpoint({ onCommand: (command) => send(command), onNote });
  const thread = startRunThread({ ...request, contact: endpoint.contact }, tell);
  return {
    contact: endpoint.contact,
    send,
    kill: () => thread.kill(),
    ended: thread.ended.then(() => endpoint.close()),
  };
}
