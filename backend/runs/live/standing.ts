/** How a run stands, from its messages: what a watcher is told when it comes. */
import { type Greeting, linkProtocol } from '../../protocol/run-link.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';

/** undefined before the run is opened. */
export type Standing = Greeting | undefined;

export function standingAfter(before: Standing, message: RunMessage): Standing {
  if (message.type === 'opened') {
    const { step } = message;
    return {
      type: 'greeting',
      protocol: linkProtocol,
      opened: message,
      state: 'running',
      work: null,
      step,
      last: null,
    };
  }
  if (!before) return undefined;
  if (message.type === 'changed') {
    const { iterations, probe } = message;
    return { ...before, opened: { ...before.opened, iterations, probe } };
  }
  if (message.type === 'state') return { ...before, state: message.state };
  if (message.type === 'step') return { ...before, step: message.step, work: null, last: message };
  if (message.type !== 'work') return before;
  const { label, done, total, unit } = message;
  return { ...before, work: done < total ? { label, done, total, unit } : null };
}
