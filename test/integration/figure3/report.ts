/** Which modes of a two-dimensional mixture a set of samples covers, and how wide. */
import type { Mixture } from '../../../backend/data/mixture.ts';

/** Lengths are in standard deviations of a mode. */
export interface ModeReport {
  /** Share of all samples that belong to the mode: those within `reach` of its centre. */
  readonly share: number;
  /** Distance of their mean from the centre. */
  readonly offset: number;
  /** Their own standard deviation along the direction in which it is least, and greatest. */
  readonly narrow: number;
  readonly wide: number;
}

/** The mode holds 99.97 % of its own points within this; two modes must be twice as far apart. */
const reach = 4;

/**
 * What samples (flat [count, 2]) do. `peak`: they sit on one mode's peak, far narrower than the mode. `mode`: they are
 * spread as one mode is. `both`: they cover both modes, each with its spread. `neither`: anything else.
 */
export type Verdict = { kind: 'peak' | 'mode'; mode: number } | { kind: 'both' } | { kind: 'neither' };

/**
 * Limits, set between the three outcomes: 1 is the exact width, 0 a full collapse. A spread within 0.6..1.4 leaves room for
 * a short training and a small network; below 0.3 less than a tenth of the mode's variance is left. Between two modes
 * a continuous generator must leave a bridge of some points: up to 15 % belong to no mode, one mode alone has no excuse.
 */
export const limits = { peak: 0.3, narrow: 0.6, wide: 1.4, offset: 0.4, one: 0.98, each: 0.35, both: 0.85 };

export function describeModes(points: Float32Array, { modes, std }: Mixture): ModeReport[] {
  return modes.map(([cx, cy]) => {
    const near: [number, number][] = [];
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [(points[i] - cx) / std, (points[i + 1] - cy) / std];
      if (Math.hypot(x, y) <= reach) near.push([x, y]);
    }
    const mean = (of: (x: number, y: number) => number) =>
      near.reduce((sum, [x, y]) => sum + of(x, y), 0) / near.length;
    const [mx, my] = [mean((x) => x), mean((_, y) => y)];
    const xx = mean((x) => (x - mx) ** 2);
    const yy = mean((_, y) => (y - my) ** 2);
    const xy = mean((x, y) => (x - mx) * (y - my));
    // The eigenvalues of the covariance.
    const [middle, half] = [(xx + yy) / 2, Math.hypot((xx - yy) / 2, xy)];
    return {
      share: near.length / (points.length / 2),
      offset: Math.hypot(mx, my),
      narrow: Math.sqrt(Math.max(middle - half, 0)),
      wide: Math.sqrt(middle + half),
    };
  });
}

export function verdictOf(modes: readonly ModeReport[]): Verdict {
  const centred = ({ offset }: ModeReport) => offset < limits.offset;
  const spread = (mode: ModeReport) => centred(mode) && mode.narrow > limits.narrow && mode.wide < limits.wide;
  const total = modes.reduce((sum, { share }) => sum + share, 0);
  if (modes.every((mode) => mode.share > limits.each && spread(mode)) && total > limits.both) return { kind: 'both' };
  const only = modes.findIndex(({ share }) => share > limits.one);
  if (only >= 0 && spread(modes[only])) return { kind: 'mode', mode: only };
  if (only >= 0 && centred(modes[only]) && modes[only].wide < limits.peak) return { kind: 'peak', mode: only };
  return { kind: 'neither' };
}
