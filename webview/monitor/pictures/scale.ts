/**
 * Where the colours of a signed field end: one scale for all recorded steps of a run, so that two of them can be compared,
 * whichever were looked at. It is the widest of them, each without its most extreme half percent; a few steps that are much wilder than
 * the rest do not count, since they would leave the others without colour.
 */
import type { FieldRanges, StepRanges } from '../../../backend/protocol/rpc/runs.ts';
import type { SignedField } from './fields.ts';

/** So many times the middle one is wild. */
const wild = 5;

export class Scales {
  readonly #groups = new Map<string, Map<number, FieldRanges>>();

  /** @param group what is to be compared: a run and a kind of fields */
  learn(group: string, steps: readonly StepRanges[]): void {
    const known = this.#groups.get(group) ?? new Map<number, FieldRanges>();
    this.#groups.set(group, known);
    for (const { step, ...ranges } of steps) known.set(step, ranges);
  }

  forget(group: string): void {
    this.#groups.delete(group);
  }

  /** The last step that is known; -1 without any. */
  last(group: string): number {
    return Math.max(-1, ...(this.#groups.get(group)?.keys() ?? []));
  }

  /**
   * 0 where nothing is known.
   * @param steps those that are recorded now
   * @param level a column of the probe: its own scale instead of one for all
   */
  end(group: string, name: SignedField, steps: readonly number[], level?: number): number {
    const known = this.#groups.get(group);
    return commonEnd(
      steps.flatMap((step) => {
        const ranges = known?.get(step)?.[name];
        const range = level === undefined ? ranges : ranges?.levels[level];
        return range ? [range.quantile] : [];
      }),
    );
  }
}

/** The widest that is not wild beside the others; 0 of nothing but zeros. */
export function commonEnd(quantiles: readonly number[]): number {
  const sorted = quantiles.filter((value) => value > 0).sort((a, b) => a - b);
  const middle = sorted[(sorted.length - 1) >> 1] ?? 0;
  return sorted.findLast((value) => value <= wild * middle) ?? 0;
}
