/** What samples do, in numbers: how many modes they are in, how wide they are there, and how well the scores know them. */
import type { PlaneReading } from '../../backend/protocol/panels/playground.ts';
import type { Target } from '../../backend/protocol/panels/playground-settings.ts';
import { stdsOf } from './targets.ts';

/** A mode holds 99.97 % of its own points within this many standard deviations. */
const reach = 4;
/** Of its even share of the samples, what a mode must have to count. */
const least = 0.2;

export interface Summary {
  /** Share of samples that are near some mode. */
  readonly near: number;
  /** Modes that have their share. */
  readonly covered: number;
  readonly modes: number;
  /** Root mean square distance from the samples' own mean in their mode, in that of the mode; NaN without samples near one. */
  readonly spread: number;
}

/** @param samples flat [N, 2] */
export function summaryOf(samples: Float32Array, target: Pick<Target, 'modes' | 'std' | 'stds'>): Summary {
  const { modes } = target;
  const stds = stdsOf(target);
  const count = samples.length / 2;
  const groups = modes.map((_, k) => ({ n: 0, x: 0, y: 0, squares: 0, std: stds[k]! }));
  for (let i = 0; i < samples.length; i += 2) {
    let [best, nearest] = [Number.POSITIVE_INFINITY, 0];
    modes.forEach(([x, y], k) => {
      // In standard deviations: a wide mode reaches further.
      const distance = Math.hypot(samples[i]! - x, samples[i + 1]! - y) / stds[k]!;
      if (distance < best) [best, nearest] = [distance, k];
    });
    if (best > reach) continue;
    const group = groups[nearest]!;
    group.n++;
    group.x += samples[i]!;
    group.y += samples[i + 1]!;
    group.squares += samples[i]! ** 2 + samples[i + 1]! ** 2;
  }
  const near = groups.reduce((sum, { n }) => sum + n, 0);
  const counted = groups.filter(({ n }) => n >= (least * count) / modes.length);
  const inCounted = counted.reduce((sum, { n }) => sum + n, 0);
  const variance = counted.reduce(
    (sum, { n, x, y, squares, std }) => sum + Math.max(0, squares - (x * x + y * y) / n) / std ** 2,
    0,
  );
  return {
    near: near / count,
    covered: counted.length,
    modes: modes.length,
    spread: Math.sqrt(variance / inCounted / 2),
  };
}

export type Verdict = 'peak' | 'one' | 'all' | 'some' | 'none';

/** Below 0.3 less than a tenth of a mode's variance is left; on the way samples are near no mode. */
export function verdictOf({ near, covered, modes, spread }: Summary): Verdict {
  if (covered === 0 || near < 0.3) return 'none';
  if (spread < 0.3 && covered === 1) return 'peak';
  if (covered === modes && near > 0.8) return 'all';
  return covered === 1 && spread > 0.4 ? 'one' : 'some';
}

/** Scores as the networks have them, (mu - x) / sigma^2 (Eq. 3), [rows, columns, 2], at the cells' middles. */
export function networkScore(mu: Float32Array, middles: Float32Array, sigma: number): Float32Array {
  return mu.map((value, i) => (value - middles[i]!) / sigma ** 2);
}

/** Mean distance of two score fields in the mean size of the second, each cell weighted by `density` (fields of other sizes: per cell). */
export function relativeError(score: Float32Array, exact: Float32Array, density: (cell: number) => number): number {
  let [difference, size] = [0, 0];
  for (let cell = 0; cell < exact.length / 2; cell++) {
    const weight = density(cell);
    const [x, y] = [exact[2 * cell]!, exact[2 * cell + 1]!];
    difference += weight * Math.hypot(score[2 * cell]! - x, score[2 * cell + 1]! - y);
    size += weight * Math.hypot(x, y);
  }
  return difference / size;
}

/** The density in the middle of a cell, from a grid `shade` times as fine. */
export function coarse(density: Float32Array, columns: number, shade: number): (cell: number) => number {
  const half = Math.floor(shade / 2);
  return (cell) => {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    return density[(row * shade + half) * columns * shade + column * shade + half] ?? 0;
  };
}

export type Reading = PlaneReading;
