/** Whether an iteration is to stop between two stages, and why: breakpoints, rules, numbers that are not finite. */
import type { Feed } from '../engine/engine.ts';
import { UserError } from '../protocol/errors.ts';
import type { Between } from '../training/iteration.ts';
import type { AnyPoint, DataPoint, LogPart } from './breakpoints.ts';
import { holds, type Names, numberOf } from './expression/evaluate.ts';
import { HeldTensors } from './held.ts';
import { type Measured, numericRule, type Rule } from './rules.ts';
import type { DebugSession } from './session.ts';
import { placeOf, type Why } from './stop.ts';
import { shownNumber, textOf } from './words.ts';

export class Judge {
  readonly #session: DebugSession;
  /** Looked at in this pass of the iteration. */
  #seen = new WeakSet<Feed>();
  /** The first stage whose tensors were looked at for numbers that are not finite; null: none. */
  #searchedFrom: number | null = null;

  constructor(session: DebugSession) {
    this.#session = session;
  }

  /** The iteration begins, or begins again. */
  restart(): void {
    this.#seen = new WeakSet();
    this.#searchedFrom = null;
  }

  /** Whether every stage so far was looked at for numbers that are not finite. */
  get searchedAll(): boolean {
    return this.#searchedFrom === 0;
  }

  /** What of breakpoints stops here; log points are told. */
  async breakpoints(between: Between, names: Names): Promise<Why | null> {
    const hits: number[] = [];
    for (const point of this.#session.breakpoints.stages) {
      if (point.asked.stage !== between.stage || !(await this.#hits(point, names))) continue;
      if (point.log) await this.#tell(point.asked.id, point.log, between, names);
      else hits.push(point.asked.id);
    }
    return hits.length === 0 ? null : { reason: 'breakpoint', text: `after '${between.stage}'`, hits, rule: null };
  }

  /** Before the commit: data breakpoints. */
  async data(between: Between, names: Names): Promise<Why | null> {
    const hits: number[] = [];
    const texts: string[] = [];
    for (const point of this.#session.breakpoints.data) {
      const text = point.problem === null ? await this.#changed(point, between.step, names) : null;
      if (text === null || !(await this.#hits(point, names))) continue;
      hits.push(point.asked.id);
      texts.push(text);
    }
    return hits.length === 0 ? null : { reason: 'data breakpoint', text: texts.join('; '), hits, rule: null };
  }

  /** Before the commit: rules, but for the one of numbers that are not finite. */
  async rules(now: Measured, before: readonly Measured[], names: Names, all: readonly Rule[]): Promise<Why | null> {
    for (const point of this.#session.breakpoints.exceptions) {
      const rule = all.find((one) => one.rule === point.asked.rule && one !== numericRule);
      const text = rule?.check(now, before) ?? null;
      if (text === null || !(await this.#hits(point, names))) continue;
      return { reason: 'exception', text, hits: [point.asked.id], rule: point.asked.rule };
    }
    return null;
  }

  /** A tensor that came with this stage and is not finite. @returns its name, or null */
  async notFinite(between: Between): Promise<string | null> {
    this.#searchedFrom ??= between.ordinal;
    const held = new HeldTensors(between);
    let found: string | null = null;
    for (const name of between.names) {
      const value = between.tensor(name);
      if (this.#seen.has(value)) continue;
      this.#seen.add(value);
      if (found === null && !(await held.get(name).isFinite())) found = name;
    }
    return found;
  }

  /** A stop for numbers that are not finite, unless its breakpoint says otherwise. */
  async numeric(text: string, names: Names): Promise<Why | null> {
    const point = this.#session.breakpoints.exceptions.find(({ asked }) => asked.rule === numericRule.rule);
    if (!point || !(await this.#hits(point, names))) return null;
    return { reason: 'exception', text, hits: [point.asked.id], rule: numericRule.rule };
  }

  /** Whether its condition holds and it is its time. A condition that cannot be computed is told once, and does not stop. */
  async #hits(point: AnyPoint, names: Names): Promise<boolean> {
    if (point.problem !== null) return false;
    const problem = (text: string | null) => {
      // Once, whatever words are likely meanwhile.
      if ((point.told === null) === (text === null)) return;
      point.told = text;
      this.#session.events.push({ type: 'problem', id: point.asked.id, problem: text });
    };
    try {
      const isTrue = point.condition === null || (await holds(point.condition, names));
      problem(null);
      if (!isTrue) return false;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problem(`condition: ${error.message}`);
      return false;
    }
    point.times += 1;
    return point.counts(point.times);
  }

  async #changed(point: DataPoint, step: number, names: Names): Promise<string | null> {
    const { asked, expression, seen } = point;
    let value: number;
    try {
      value = await numberOf(expression!, names);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const text = `expression: ${error.message}`;
      if (point.told === null) this.#session.events.push({ type: 'problem', id: asked.id, problem: text });
      point.told = text;
      return null;
    }
    // The iteration may be computed again.
    while (seen.length > 0 && seen.at(-1)!.step >= step) seen.pop();
    const before = seen.at(-1)?.value;
    seen.push({ step, value });
    if (seen.length > 2) seen.shift();
    return changeWords(asked, before, value);
  }

  async #tell(id: number, parts: readonly LogPart[], between: Between, names: Names): Promise<void> {
    const words: string[] = [];
    for (const part of parts) words.push(typeof part === 'string' ? part : await textOf(part, names));
    this.#session.events.push({ type: 'log', id, text: words.join(''), place: placeOf(between) });
  }
}

function changeWords({ expression, when }: DataPoint['asked'], before: number | undefined, now: number): string | null {
  if (when.type === 'is not finite') return Number.isFinite(now) ? null : `${expression} is ${shownNumber(now)}`;
  if (before === undefined) return null;
  const from = `${expression} went from ${shownNumber(before)} to ${shownNumber(now)}`;
  if (when.type === 'crosses') return before < when.level !== now < when.level ? `${from}, past ${when.level}` : null;
  const changes = Math.abs(now - before) > when.by || Number.isFinite(now) !== Number.isFinite(before);
  if (!changes) return null;
  return when.by === 0 ? from : `${from}, by more than ${when.by}`;
}
