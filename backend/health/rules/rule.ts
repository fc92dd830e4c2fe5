/** What a rule is: a pure function of recorded numbers. */
import type { RecordedNumbers } from '../numbers.ts';
import { curveTags } from '../tags.ts';
import type { Finding } from '../verdict.ts';

export interface Rule {
  /** Names the tag it is recorded under, health/NAME. */
  readonly name: string;
  /** What it looks for, for people: a few words. */
  readonly title: string;
  /** The tags without which it has nothing to say; more than one where any of them will do. */
  readonly reads: readonly string[];
  find(numbers: RecordedNumbers): Finding;
}

/** Four significant digits, or fewer, for a sentence. */
export const figure = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : String(Number(value.toPrecision(3)));

export const percent = (share: number): string => `${figure(100 * share)} %`;

/** What holds a generator to all that its teacher knows, by what its method has: half a sentence. */
export const steadied = (numbers: RecordedNumbers): string =>
  numbers.has([curveTags.lossRegression])
    ? "Raise the regression's weight (schedules.lambda)"
    : 'Add regression on pairs (method dmd) or update the fake score more often (fake.updatesPerStep)';
