/**
 * The levels sigma/alpha that DPM-Solver++, UniPC and Euler step through, with the timestep that the network is told at each.
 * The tables are float32, as in diffusers.
 */
import { karrasSteps } from '../karras.ts';
import type { VpSchedule } from './schedule.ts';

export interface SigmaPlan {
  /** Timestep of every network call. */
  readonly timesteps: readonly number[];
  /** The level of every call, and the one that the last call arrives at. */
  readonly sigmas: Float32Array;
}

/** alphas_cumprod of the last timestep where it would be 0 (zero terminal SNR): the level stays finite. */
const LEAST_PRODUCT = 2 ** -24;

/** sigma_t/alpha_t of every timestep, [T], ascending. */
export function sigmaTable({ alphasCumprod }: VpSchedule, zeroSnr: boolean): Float32Array {
  const last = alphasCumprod.length - 1;
  return alphasCumprod.map((value, t) => {
    const product = zeroSnr && t === last ? LEAST_PRODUCT : value;
    return Math.sqrt(Math.fround(Math.fround(1 - product) / product));
  });
}

/** The level at a timestep that may be a fraction, as numpy.interp finds it. */
export function sigmaAt(table: Float32Array, t: number): number {
  const below = Math.min(Math.floor(t), table.length - 1);
  const above = Math.min(below + 1, table.length - 1);
  return table[below]! + (t - below) * (table[above]! - table[below]!);
}

/** The timestep, mostly a fraction, of a level, found between neighbours in the logarithm. */
export function timestepOf(table: Float32Array, sigma: number): number {
  const wanted = Math.log(Math.max(sigma, 1e-10));
  const log = (t: number) => Math.fround(Math.log(table[t]!));
  let [below, above] = [0, table.length - 1];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (wanted >= log(middle)) below = middle;
    else above = middle;
  }
  const share = (log(below) - wanted) / (log(below) - log(above));
  return below + Math.max(0, Math.min(1, share));
}

/** Levels after Karras et al. between `from` and `to`, with exponent 7. */
export function karrasLevels(from: number, to: number, steps: number): number[] {
  return karrasSteps(steps, { sigmaMin: to, sigmaMax: from, rho: 7 });
}

/** alpha and sigma of x_t at a level sigma/alpha, and the logarithm of alpha/sigma; infinite at level 0. */
export function atLevel(level: number): { alpha: number; sigma: number; lambda: number } {
  const alpha = 1 / Math.sqrt(level ** 2 + 1);
  return { alpha, sigma: level * alpha, lambda: -Math.log(level) };
}

/** The levels of a multistep solver's own timesteps, or Karras levels over the whole schedule. */
export interface SolverLevels {
  readonly karras: boolean;
  readonly final: 'zero' | 'sigma_min';
  /** The least level with `final` sigma_min. */
  readonly leastLevel: number;
  /** Span of the Karras levels, where not the table's. */
  readonly sigmaMin?: number | null | undefined;
  readonly sigmaMax?: number | null | undefined;
  /** From a Karras level's timestep to the one that the network is told. */
  readonly told: (t: number) => number;
}

export function solverPlan(table: Float32Array, spaced: readonly number[], levels: SolverLevels): SigmaPlan {
  const { karras, final, leastLevel, told } = levels;
  const last = final === 'zero' ? 0 : leastLevel;
  if (!karras) return { timesteps: spaced, sigmas: Float32Array.of(...spaced.map((t) => sigmaAt(table, t)), last) };
  const sigmas = karrasLevels(levels.sigmaMax ?? table.at(-1)!, levels.sigmaMin ?? table[0]!, spaced.length);
  return { timesteps: sigmas.map((sigma) => told(timestepOf(table, sigma))), sigmas: Float32Array.of(...sigmas, last) };
}
