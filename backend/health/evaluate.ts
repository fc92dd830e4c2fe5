/** The rules together: what they say of numbers so far, and of a run as it goes on. */
import { RecordedNumbers } from './numbers.ts';
import { rules } from './rules/index.ts';
import { verdictTag } from './tags.ts';
import type { Severity, Verdict } from './verdict.ts';

/** Names of all rules, as in Verdict.rule and in the tags health/NAME. */
export const ruleNames: readonly string[] = rules.map(({ name }) => name);

/** What a rule looks for, in a few words; the name itself for one that is not known. */
export const ruleTitle = (name: string): string => rules.find((rule) => rule.name === name)?.title ?? name;

/** What the rules say of the numbers so far, the gravest first; [] all is well. */
export function evaluate(numbers: RecordedNumbers): Verdict[] {
  const found = rules.flatMap((rule) => {
    const finding = rule.find(numbers);
    return finding ? [{ rule: rule.name, ...finding }] : [];
  });
  return [
    ...found.filter(({ severity }) => severity === 'alarm'),
    ...found.filter(({ severity }) => severity !== 'alarm'),
  ];
}

/** A verdict's value as a curve. */
export const severityValue = (severity: Severity | undefined): number =>
  severity === 'alarm' ? 2 : severity === 'warning' ? 1 : 0;

/** What to record after a look: the rules' curves, and the words of verdicts that are new or over. */
export interface HealthRecord {
  readonly verdicts: readonly Verdict[];
  readonly scalars: Readonly<Record<string, number>>;
  /** Markdown, by tag. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Follows a run: takes its numbers as they are recorded, and looks at them when asked to. */
export class HealthWatch {
  readonly numbers: RecordedNumbers;
  #verdicts: readonly Verdict[] = [];
  /** Rules that have a curve: from their first verdict on. */
  readonly #shown = new Set<string>();

  /** @param numbers what was recorded before this process went on with the run */
  constructor(numbers = new RecordedNumbers()) {
    this.numbers = numbers;
    this.#verdicts = evaluate(numbers);
    for (const { rule } of this.#verdicts) this.#shown.add(rule);
  }

  /** As they were after the last look. */
  get verdicts(): readonly Verdict[] {
    return this.#verdicts;
  }

  add(step: number, scalars: Readonly<Record<string, number>>): void {
    this.numbers.add(step, scalars);
  }

  look(): HealthRecord {
    const before = new Map(this.#verdicts.map((verdict) => [verdict.rule, verdict]));
    const verdicts = evaluate(this.numbers);
    const now = new Map(verdicts.map((verdict) => [verdict.rule, verdict]));
    const texts: Record<string, string> = {};
    for (const { rule, severity, statement, advice } of verdicts) {
      this.#shown.add(rule);
      if (before.get(rule)?.severity !== severity) texts[verdictTag(rule)] = `**${severity}** ${statement} ${advice}`;
    }
    for (const rule of before.keys()) if (!now.has(rule)) texts[verdictTag(rule)] = 'No longer so.';
    this.#verdicts = verdicts;
    const scalars = [...this.#shown].map((rule) => [verdictTag(rule), severityValue(now.get(rule)?.severity)] as const);
    return { verdicts, scalars: Object.fromEntries(scalars), texts };
  }
}
