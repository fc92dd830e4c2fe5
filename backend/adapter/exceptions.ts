/** The requests `setExceptionBreakpoints` and `exceptionInfo`: the rules that stop a run before it commits an update. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from '../protocol/config/zod.ts';
import { debugRequests } from '../protocol/debug-requests.ts';
import type { BreakpointIds } from './breakpoint-ids.ts';
import { verdict } from './breakpoints.ts';
import { AdapterError } from './errors.ts';
import { traceOf } from './origin.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';

/** The rule whose cause can be looked for. */
const numeric = 'numeric';

export function exceptionHandlers(target: Target, ids: BreakpointIds): Handlers {
  return {
    ...checked(
      'setExceptionBreakpoints',
      z.object({
        filters: z.array(z.string()),
        filterOptions: z.array(z.object({ filterId: z.string(), condition: z.string().optional() })).default([]),
      }),
      async ({ filters, filterOptions }, { signal }) => {
        const asked = [...filters.map((filterId) => ({ filterId, condition: undefined })), ...filterOptions];
        const exceptions = asked.map(({ filterId: rule, condition }, i) => ({
          ...{ id: ids.of('exception', `${rule} ${i}`), rule },
          ...(condition ? { condition } : {}),
        }));
        const verdicts = await target.debuggee.ask(debugRequests['debug/breakpoints'], { exceptions }, signal);
        const problems = new Map(verdicts.map(({ id, problem }) => [id, problem]));
        return { breakpoints: exceptions.map(({ id }) => ({ id, ...verdict(problems.get(id) ?? null) })) };
      },
    ),
    exceptionInfo: async (_, { signal }): Promise<DebugProtocol.ExceptionInfoResponse['body']> => {
      const { reason, rule, text, stage } = target.stop;
      if (reason !== 'exception' || rule === null) throw new AdapterError('noException');
      const about = { exceptionId: rule, description: text, breakMode: 'always' as const };
      const details = { message: text, typeName: rule, evaluateName: '' };
      if (rule !== numeric) return { ...about, details };
      const origin = await target.client.progress.during('Looking for the first operation', signal, (both) =>
        target.debuggee.ask(debugRequests['debug/origin'], {}, both),
      );
      const { note, operation } = origin;
      return {
        ...{ ...about, description: `${text}\n${note}` },
        details: {
          ...{ ...details, message: note, stackTrace: traceOf(origin, stage) },
          ...(operation
            ? { typeName: operation.operation, fullTypeName: `${operation.scope} ${operation.operation}` }
            : {}),
        },
      };
    },
  };
}
