/**
 * Rules that stop an iteration before it is committed: DAP's exception breakpoints. A rule sees recorded numbers only, by tag as
 * `loss/fake`, never a config. Those of health (collapse, a lagging fake score, ...) are more of the same interface.
 */
import type { Scalars } from '../training/trainer.ts';

/** Numbers of an iteration, by tag. */
export interface Measured {
  readonly step: number;
  readonly numbers: Scalars;
}

export interface Rule {
  /** Names it in requests. */
  readonly rule: string;
  readonly label: string;
  readonly description: string;
  /** Whether it is sensible to have it on from the start. */
  readonly default: boolean;
  /**
   * Why to stop, with the numbers behind it; null: all is well.
   * @param before the iterations before, the newest last; as many as are remembered
   */
  check(now: Measured, before: readonly Measured[]): string | null;
}

/** The debugger finds these itself: it looks at every tensor, and only once a number of the iteration shows one. */
export const numericRule: Rule = {
  rule: 'numeric',
  label: 'NaN or infinity',
  description: 'A tensor that is not finite, at the stage that made it.',
  default: true,
  check: () => null,
};

/** Iterations that are looked back on, and the fewest that say anything. */
const [window, fewest] = [50, 10];

/** How far from the median a number lies is measured by the median of those distances (Hampel's identifier). */
const lossSpike: Rule = {
  rule: 'loss spike',
  label: 'Loss spike',
  description: `A loss above twice the median of the last ${window} iterations and far out of their spread.`,
  default: false,
  check: (now, before) =>
    firstOf(now, before, 'loss/', (value, median, spread) => value > 2 * median && value > median + 10 * spread),
};

const explodingGradient: Rule = {
  rule: 'exploding gradient',
  label: 'Exploding gradient',
  description: `A gradient's norm above ten times the median of the last ${window} iterations.`,
  default: false,
  check: (now, before) => firstOf(now, before, 'norm/', (value, median) => value > 10 * median),
};

export const ownRules: readonly Rule[] = [numericRule, lossSpike, explodingGradient];

function firstOf(
  { numbers }: Measured,
  before: readonly Measured[],
  prefix: string,
  isOut: (value: number, median: number, spread: number) => boolean,
): string | null {
  for (const [tag, value] of Object.entries(numbers)) {
    if (!tag.startsWith(prefix)) continue;
    const earlier = before.slice(-window).flatMap(({ numbers: then }) => {
      const number = then[tag];
      return number !== undefined && Number.isFinite(number) ? [number] : [];
    });
    if (earlier.length < fewest) continue;
    const median = medianOf(earlier);
    const spread = 1.4826 * medianOf(earlier.map((number) => Math.abs(number - median)));
    if (!isOut(value, median, spread)) continue;
    return `${tag} is ${shown(value)}, where the median of the last ${earlier.length} iterations is ${shown(median)}`;
  }
  return null;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

const shown = (value: number) => String(Number(value.toPrecision(4)));
