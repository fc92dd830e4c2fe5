/**
 * Which recorded steps to give up for a new one, so that those left are spread evenly over the run.
 *
 * Counted from the first step, in units of their common divisor, the steps that two divides least often go first; among
 * those the one whose neighbours are closest together, then the oldest. Steps recorded at equal distances thus keep
 * distances d and 2 d, until all are at 2 d. The first step stays until only it and the new one are left; the new one
 * always stays.
 */

export interface Recorded {
  readonly step: number;
  readonly bytes: number;
}

/**
 * @param before what is recorded, other than the new step
 * @param newest what is to be added; it is not after all others when a run went back
 * @returns steps of `before`, in the order they go
 */
export function stepsToDrop(before: readonly Recorded[], newest: Recorded, budgetBytes: number): number[] {
  const kept = [...before, newest].sort((a, b) => a.step - b.step);
  const first = kept[0]!.step;
  const unit = kept.reduce((divisor, { step }) => greatestCommonDivisor(divisor, step - first), 0);
  const roundness = ({ step }: Recorded) => timesTwo((step - first) / unit);
  const dropped: number[] = [];
  let bytes = kept.reduce((sum, entry) => sum + entry.bytes, 0);
  while (bytes > budgetBytes && kept.length > 1) {
    const index = leastMissed(kept, newest, roundness);
    const [gone] = kept.splice(index, 1);
    bytes -= gone!.bytes;
    dropped.push(gone!.step);
  }
  return dropped;
}

function leastMissed(kept: readonly Recorded[], newest: Recorded, roundness: (entry: Recorded) => number): number {
  const inner = kept
    .map((_, i) => i)
    .slice(1, -1)
    .filter((i) => kept[i] !== newest);
  if (inner.length === 0) {
    const last = kept.length - 1;
    return kept[last] === newest ? 0 : last;
  }
  const gap = (i: number) => kept[i + 1]!.step - kept[i - 1]!.step;
  const missed = (i: number, other: number) => roundness(kept[i]!) - roundness(kept[other]!) || gap(i) - gap(other);
  return inner.reduce((best, i) => (missed(i, best) < 0 ? i : best));
}

/** How often 2 divides a whole number from 1 on. */
function timesTwo(value: number): number {
  let count = 0;
  for (let rest = value; rest % 2 === 0; rest /= 2) count++;
  return count;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
