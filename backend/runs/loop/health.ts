/**
 * A run's health as it goes on: what is recorded is looked at whenever there is news to judge by, verdicts are recorded beside it, as
 * curves and as words, and told once.
 */
import { type HealthRecord, HealthWatch } from '../../health/evaluate.ts';
import type { RecordedNumbers } from '../../health/numbers.ts';
import { verdictTag } from '../../health/tags.ts';
import type { Verdict } from '../../health/verdict.ts';
import type { RunMessageOf } from '../../protocol/run-messages.ts';
import type { Summary } from '../../training/session.ts';

/** Without numbers of its own, health is judged by the curves, every so many iterations. */
const iterationsBetween = 25;

export interface RunHealthParts {
  /** What the run recorded before this process; undefined when it begins. */
  readonly before: RecordedNumbers | undefined;
  readonly add: (step: number, summary: Summary) => void;
  readonly report: (message: RunMessageOf<'note'>) => void;
}

export class RunHealth {
  readonly #parts: RunHealthParts;
  #watch: HealthWatch;
  #lookedAt: number;
  #due = false;

  constructor(parts: RunHealthParts) {
    this.#parts = parts;
    this.#watch = new HealthWatch(parts.before);
    this.#lookedAt = this.#watch.numbers.lastStep;
  }

  /** As they were after the last look. */
  get verdicts(): readonly Verdict[] {
    return this.#watch.verdicts;
  }

  /** The run goes back: this is what it had recorded then. */
  restart(before: RecordedNumbers | undefined): void {
    this.#watch = new HealthWatch(before);
    this.#lookedAt = this.#watch.numbers.lastStep;
    this.#due = false;
  }

  /** Takes what was recorded. */
  add(step: number, scalars: Readonly<Record<string, number>>): void {
    this.#watch.add(step, scalars);
    const vitals = Object.keys(scalars).some((tag) => tag.startsWith('vitals/'));
    if (vitals || step - this.#lookedAt >= iterationsBetween) this.#due = true;
  }

  /** After a step: looks, when something is due. */
  step(step: number): void {
    if (this.#due) this.look(step);
  }

  /** Looks now, and records what it finds. */
  look(step: number): void {
    this.#due = false;
    this.#lookedAt = step;
    this.#tell(step, this.#watch.look());
  }

  #tell(step: number, { verdicts, scalars, texts }: HealthRecord): void {
    if (Object.keys(scalars).length > 0) this.#parts.add(step, { scalars, texts });
    for (const { rule, severity, statement, advice } of verdicts) {
      if (!(verdictTag(rule) in texts)) continue;
      this.#parts.report({ type: 'note', level: 'warning', text: `health, ${severity}: ${statement} ${advice}` });
    }
  }
}
