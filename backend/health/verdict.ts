/** What health says of a run. Rules read recorded numbers only, never a config: a run of any program that records them is judged alike. */

export const severities = ['warning', 'alarm'] as const;
export type Severity = (typeof severities)[number];

export interface Verdict {
  /** One of `ruleNames`. */
  readonly rule: string;
  readonly severity: Severity;
  /** The iteration whose numbers gave rise to it. */
  readonly step: number;
  /** What is wrong, with the numbers behind it: one or two sentences. */
  readonly statement: string;
  /** What to do about it: a sentence. */
  readonly advice: string;
}

/** What a rule finds; null where all is well, or where the numbers are not there (yet). */
export type Finding = Omit<Verdict, 'rule'> | null;
