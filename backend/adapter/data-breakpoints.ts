/**
 * The requests `dataBreakpointInfo` and `setDataBreakpoints`: stops for a single number, such as `loss.fake`. What it has to do is
 * chosen below the number (waits.ts), or said in the breakpoint's condition: `changes by 0.5`, `crosses 1`, `is not finite`, each maybe
 * with `if CONDITION` behind it; any other condition is looked at when that happens, or when the number changes.
 */
import { z } from '../protocol/config/zod.ts';
import { type DataBreakpoint, debugRequests } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import type { BreakpointIds } from './breakpoint-ids.ts';
import { verdict } from './breakpoints.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';
import { ofId } from './waits.ts';

const number = '([-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?)';
const rest = '(?:\\s+if\\s+(.+))?';
const byPattern = new RegExp(`^changes(?:\\s+by(?:\\s+more\\s+than)?\\s+${number})?${rest}$`);
const crossesPattern = new RegExp(`^crosses\\s+${number}${rest}$`);
const finitePattern = new RegExp(`^is\\s+not\\s+finite${rest}$`);

/** What a condition of a person means. */
export function whenOf(text: string): Pick<DataBreakpoint, 'when' | 'condition'> {
  const condition = (words: string | undefined) => (words === undefined ? {} : { condition: words });
  const trimmed = text.trim();
  const by = byPattern.exec(trimmed);
  if (by) return { when: { type: 'changes', by: Math.abs(Number(by[1] ?? 0)) }, ...condition(by[2]) };
  const crosses = crossesPattern.exec(trimmed);
  if (crosses) return { when: { type: 'crosses', level: Number(crosses[1]) }, ...condition(crosses[2]) };
  const finite = finitePattern.exec(trimmed);
  if (finite) return { when: { type: 'is not finite' }, ...condition(finite[1]) };
  return { when: { type: 'changes', by: 0 }, ...(trimmed === '' ? {} : { condition: trimmed }) };
}

export function dataBreakpointHandlers(target: Target, ids: BreakpointIds): Handlers {
  return {
    ...checked(
      'dataBreakpointInfo',
      z.object({ variablesReference: z.int().optional(), name: z.string() }),
      async ({ name, variablesReference }, { signal }) => {
        const below = target.nodes.find(variablesReference ?? 0);
        const waits = below?.kind === 'waits' ? target.waits.id(below.name, below.value, name) : null;
        if (waits !== null) {
          return { dataId: waits, description: waits, accessTypes: ['write'], canPersist: true };
        }
        const none = (description: string) => ({ dataId: null, description });
        const problem = await whyNot(target, name, signal);
        if (problem) return none(problem);
        return { dataId: name, description: name, accessTypes: ['write'], canPersist: true };
      },
    ),
    ...checked(
      'setDataBreakpoints',
      z.object({
        breakpoints: z.array(
          z.object({ dataId: z.string(), condition: z.string().optional(), hitCondition: z.string().optional() }),
        ),
      }),
      async ({ breakpoints }, { signal }) => {
        const data = breakpoints.map(({ dataId, condition = '', hitCondition }, i) => ({
          ...{ id: ids.of('data', `${dataId} ${i}`), ...asked(dataId, condition) },
          ...(hitCondition ? { hits: hitCondition } : {}),
        }));
        const verdicts = await target.debuggee.ask(debugRequests['debug/breakpoints'], { data }, signal);
        const problems = new Map(verdicts.map(({ id, problem }) => [id, problem]));
        return { breakpoints: data.map(({ id }) => ({ id, ...verdict(problems.get(id) ?? null) })) };
      },
    ),
  };
}

/** A condition that says itself what to wait for counts more than what was chosen. */
function asked(dataId: string, condition: string): Pick<DataBreakpoint, 'expression' | 'when' | 'condition'> {
  const { expression, when } = ofId(dataId);
  const said = whenOf(condition);
  const isPlain = said.when.type === 'changes' && said.when.by === 0 && !/^changes\b/.test(condition.trim());
  return { expression, ...said, ...(when && isPlain ? { when } : {}) };
}

/** '' for a single number, also one that is not known yet. */
async function whyNot(target: Target, name: string, signal: AbortSignal): Promise<string> {
  const { debuggee } = target;
  const { numbers, settings } = await debuggee.ask(debugRequests['debug/numbers'], {}, signal);
  if ([...numbers, ...settings].some((line) => line.name === name)) return '';
  try {
    const value = await debuggee.ask(debugRequests['debug/evaluate'], { expression: name, assigns: false }, signal);
    return value.number === null ? `${name} is a tensor: break on a number of it, such as ${name}.norm` : '';
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
