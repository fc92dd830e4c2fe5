/**
 * The request `setBreakpoints`: lines of the listing as stages to stop at, with conditions, counts and log texts. What cannot hit says
 * why, at the breakpoint.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from '../protocol/config/zod.ts';
import { debugRequests, type StageBreakpoint } from '../protocol/debug-requests.ts';
import type { BreakpointIds } from './breakpoint-ids.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';

const schema = z.object({
  source: z.object({ path: z.string().optional(), sourceReference: z.number().optional() }),
  breakpoints: z
    .array(
      z.object({
        line: z.int(),
        condition: z.string().optional(),
        hitCondition: z.string().optional(),
        logMessage: z.string().optional(),
      }),
    )
    .default([]),
});
type Asked = z.infer<typeof schema>['breakpoints'][number];

export function breakpointHandlers(target: Target, ids: BreakpointIds): Handlers {
  return checked('setBreakpoints', schema, async ({ source, breakpoints }, { signal }) => {
    if (!target.source.is(source)) {
      const message = target.sources.text(source.sourceReference ?? 0)
        ? 'what is inside a stage is computed again and does not stop the run'
        : `this session debugs ${target.source.uri}`;
      return { breakpoints: breakpoints.map(() => ({ verified: false, message, reason: 'failed' })) };
    }
    const placed = breakpoints.map((one) => ({ one, at: target.source.stageFrom(target.client.fromLine(one.line)) }));
    const wanted = placed.flatMap(({ one, at }) => (at ? [asWanted(ids.of('line', `${at.line}`), at.stage, one)] : []));
    const verdicts = await target.debuggee.ask(debugRequests['debug/breakpoints'], { stages: unique(wanted) }, signal);
    const problems = new Map(verdicts.map(({ id, problem }) => [id, problem]));
    return {
      breakpoints: placed.map(({ at }): DebugProtocol.Breakpoint => {
        if (!at) return { verified: false, message: 'nothing is computed from this line on', reason: 'failed' };
        const id = ids.of('line', `${at.line}`);
        const problem = problems.get(id) ?? null;
        return { id, line: target.client.line(at.line), ...verdict(problem) };
      }),
    };
  });
}

/** @param problem why it cannot hit; null where it can */
export function verdict(problem: string | null): { verified: boolean; message?: string; reason?: 'failed' } {
  return problem === null ? { verified: true } : { verified: false, message: problem, reason: 'failed' };
}

function asWanted(id: number, stage: string, { condition, hitCondition, logMessage }: Asked): StageBreakpoint {
  return {
    ...{ id, stage },
    ...(condition ? { condition } : {}),
    ...(hitCondition ? { hits: hitCondition } : {}),
    ...(logMessage ? { log: logMessage } : {}),
  };
}

/** Two lines can mean one stage, e.g. a loop's head and its first line: the later one counts. */
function unique(wanted: readonly StageBreakpoint[]): StageBreakpoint[] {
  return [...new Map(wanted.map((one) => [one.id, one])).values()];
}
