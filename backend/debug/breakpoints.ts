/** Breakpoints as they were asked for, read once: what is wrong with one is said of that one, and it never hits. */
import type { DataBreakpoint, ExceptionBreakpoint, StageBreakpoint } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import { type Expression, parseExpression } from './expression/parse.ts';

export type LogPart = string | Expression;

interface Read {
  /** Why it can never hit; null: it can. */
  problem: string | null;
  readonly condition: Expression | null;
  /** Whether the time of that number, from 1, counts. */
  readonly counts: (time: number) => boolean;
  /** Times it would have stopped. */
  times: number;
  /** What was last told of a condition that could not be computed; null: it can. */
  told: string | null;
}

export interface StagePoint extends Read {
  readonly asked: StageBreakpoint;
  readonly log: readonly LogPart[] | null;
}

export interface DataPoint extends Read {
  readonly asked: DataBreakpoint;
  readonly expression: Expression | null;
  /** Its values after the iterations before, by step; the latest is what the next one is compared with. */
  readonly seen: { readonly step: number; readonly value: number }[];
}

export interface ExceptionPoint extends Read {
  readonly asked: ExceptionBreakpoint;
}

export type AnyPoint = StagePoint | DataPoint | ExceptionPoint;

export interface BreakpointLists {
  readonly stages?: readonly StageBreakpoint[] | undefined;
  readonly data?: readonly DataBreakpoint[] | undefined;
  readonly exceptions?: readonly ExceptionBreakpoint[] | undefined;
}

export class Breakpoints {
  stages: readonly StagePoint[] = [];
  data: readonly DataPoint[] = [];
  exceptions: readonly ExceptionPoint[] = [];

  /** @returns what is wrong with each of those given */
  set(lists: BreakpointLists, stages: readonly string[], rules: readonly string[]) {
    const known = new Map([...this.stages, ...this.data, ...this.exceptions].map((point) => [point.asked.id, point]));
    const set = <P extends AnyPoint>(asked: readonly P['asked'][], read: (one: P['asked']) => P): P[] =>
      asked.map((one) => {
        const before = known.get(one.id);
        return before && JSON.stringify(before.asked) === JSON.stringify(one) ? (before as P) : read(one);
      });
    if (lists.stages) this.stages = set<StagePoint>(lists.stages, (one) => stagePoint(one, stages));
    if (lists.data) this.data = set<DataPoint>(lists.data, dataPoint);
    if (lists.exceptions) this.exceptions = set<ExceptionPoint>(lists.exceptions, (one) => exceptionPoint(one, rules));
    const changed: AnyPoint[] = [
      ...(lists.stages ? this.stages : []),
      ...(lists.data ? this.data : []),
      ...(lists.exceptions ? this.exceptions : []),
    ];
    return changed.map(({ asked, problem }) => ({ id: asked.id, problem }));
  }

  /** The run went back: what comes is compared with nothing after that step. */
  forgetAfter(step: number): void {
    for (const { seen } of this.data) while (seen.length > 0 && seen.at(-1)!.step > step) seen.pop();
  }
}

function stagePoint(asked: StageBreakpoint, stages: readonly string[]): StagePoint {
  const reading = new Reading();
  if (!stages.includes(asked.stage)) reading.problem = `no line of this run's algorithm is '${asked.stage}'`;
  const log = asked.log === undefined ? null : reading.of('log', () => logParts(asked.log!));
  return { ...read(reading, asked), asked, log, problem: reading.problem };
}

function dataPoint(asked: DataBreakpoint): DataPoint {
  const reading = new Reading();
  const expression = reading.of('expression', () => parseExpression(asked.expression));
  return { ...read(reading, asked), asked, expression, seen: [], problem: reading.problem };
}

function exceptionPoint(asked: ExceptionBreakpoint, rules: readonly string[]): ExceptionPoint {
  const reading = new Reading();
  if (!rules.includes(asked.rule)) reading.problem = `there is no rule '${asked.rule}'`;
  return { ...read(reading, asked), asked, problem: reading.problem };
}

function read(
  reading: Reading,
  { condition, hits }: { condition?: string | undefined; hits?: string | undefined },
): Read {
  return {
    condition: blank(condition) ? null : reading.of('condition', () => parseExpression(condition!)),
    counts: (blank(hits) ? null : reading.of('hit count', () => hitCount(hits!))) ?? (() => true),
    ...{ problem: reading.problem, times: 0, told: null },
  };
}

const blank = (text: string | undefined) => text === undefined || text.trim() === '';

/** Keeps the first thing that is wrong. */
class Reading {
  problem: string | null = null;

  of<T>(what: string, parse: () => T): T | null {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.problem ??= `${what}: ${error.message}`;
      return null;
    }
  }
}

const comparisons: Readonly<Record<string, (time: number, wanted: number) => boolean>> = {
  '': (time, wanted) => time === wanted,
  '=': (time, wanted) => time === wanted,
  '==': (time, wanted) => time === wanted,
  '>': (time, wanted) => time > wanted,
  '>=': (time, wanted) => time >= wanted,
  '<': (time, wanted) => time < wanted,
  '<=': (time, wanted) => time <= wanted,
  '%': (time, wanted) => time % wanted === 0,
};

function hitCount(text: string): (time: number) => boolean {
  const [, sign = '', digits] = /^\s*(==?|>=?|<=?|%)?\s*(\d{1,9})\s*$/.exec(text) ?? [];
  const wanted = Number(digits);
  if (digits === undefined || (sign === '%' && wanted === 0)) {
    throw new UserError('usage', `${JSON.stringify(text)} is none: 5, > 5, >= 5, < 5, <= 5 or % 5`);
  }
  return (time) => comparisons[sign]!(time, wanted);
}

/** Text with `{expression}` in it. */
function logParts(text: string): LogPart[] {
  return text.split(/(\{[^{}]*\})/).flatMap((part): LogPart[] => {
    if (part === '') return [];
    return part.startsWith('{') && part.endsWith('}') ? [parseExpression(part.slice(1, -1))] : [part];
  });
}
