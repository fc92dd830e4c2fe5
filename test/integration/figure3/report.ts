/** Which modes of a two-dimensional mixture a set of samples covers, and how wide. */
import type { Mixture } from '../../../backend/data/mixture.ts';

/** Lengths are in standard deviations of a mode. */
export interface ModeReport {
  /** Share of all samples that belong to the mode: those within `reach` of its centre. */
  readonly share: number;
  /** Distance of their mean from the centre. */
  readonly offset: number;
  /** Half the span of the middle 68 % along the direction in which it is least, and greatest; 1 for the mode itself. */
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
 * Limits, set between the outcomes: a width of 1 is the mode's own, 0 a full collapse. 0.4..1.6 leaves room for a short
 * training and a small network; below 0.3 less than a tenth of the mode's variance is left. Between two modes a
 * continuous generator must leave a bridge of some points: up to 15 % may belong to no mode; one mode alone has no excuse.
 */
export const limits = { peak: 0.3, narrow: 0.4, wide: 1.6, offset: 0.4, one: 0.98, each: 0.35, both: 0.85 };

export function describeModes(points: Float32Array, { modes, std }: Mixture): ModeReport[] {
  return modes.map(([cx, cy]) => {
    const near: [number, number][] = [];
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [(points[i] - cx) / std, (points[i + 1] - cy) / std];
      if (Math.hypot(x, y) <= reach) near.push([x, y]);
    }
    const mean = (axis: 0 | 1) => near.reduce((sum, point) => sum + point[axis], 0) / near.length;
    const widths = directions.map(([dx, dy]) => centralWidth(near.map(([x, y]) => dx * x + dy * y)));
    return {
      share: near.length / (points.length / 2),
      offset: Math.hypot(mean(0), mean(1)),
      narrow: Math.min(...widths),
      wide: Math.max(...widths),
    };
  });
}

const directions = Array.from({ length: 12 }, (_, i) => [Math.cos((Math.PI * i) / 12), Math.sin((Math.PI * i) / 12)]);

/** Half of what the middle 68.27 % span: the standard deviation of a Gaussian, whatever a few stray points do. */
function centralWidth(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return (at(0.84135) - at(0.15865)) / 2;
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
