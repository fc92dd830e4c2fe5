/** A session of the debug adapter with everything that it answers. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { BreakpointIds } from './breakpoint-ids.ts';
import { breakpointHandlers } from './breakpoints.ts';
import { controlHandlers } from './control.ts';
import { dataBreakpointHandlers } from './data-breakpoints.ts';
import { evaluateHandlers } from './evaluate.ts';
import { exceptionHandlers } from './exceptions.ts';
import { extraHandlers } from './extras.ts';
import { lifecycleHandlers } from './lifecycle.ts';
import { memoryHandlers } from './memory.ts';
import { readValueHandlers } from './read-value.ts';
import { DmdDebugSession } from './session.ts';
import { stackHandlers } from './stack.ts';
import { Target } from './target.ts';
import { variableHandlers } from './variables.ts';

export function createSession(): DmdDebugSession {
  return new DmdDebugSession((client) => {
    const target = new Target(client);
    const ids = new BreakpointIds();
    target.onProblem(({ id, problem }) => {
      const breakpoint: DebugProtocol.Breakpoint =
        problem === null ? { id, verified: true } : { id, verified: false, message: problem };
      client.tell('breakpoint', { reason: 'changed', breakpoint });
    });
    return {
      handlers: {
        ...lifecycleHandlers(target),
        ...controlHandlers(target),
        ...breakpointHandlers(target, ids),
        ...dataBreakpointHandlers(target, ids),
        ...exceptionHandlers(target, ids),
        ...stackHandlers(target),
        ...variableHandlers(target),
        ...evaluateHandlers(target),
        ...memoryHandlers(target),
        ...extraHandlers(target),
        ...readValueHandlers(target),
      },
      end: () => void target.leave(),
    };
  });
}

/** Speaks the debug protocol over standard input and output until the editor leaves. */
export function serveStandardStreams(): void {
  const session = createSession();
  process.on('SIGTERM', () => session.shutdown());
  session.start(process.stdin, process.stdout);
}
