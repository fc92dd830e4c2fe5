/**
 * Which noise levels a sampler visits: the discretizations of the compared models (Karras et al. 2022, Table 1, "Time
 * steps"). All give levels in descending order, without the final 0, in float64.
 */
import { UserError } from '../protocol/errors.ts';
import { karrasSteps } from './karras.ts';
import { songBetas, vpBetas, vpSchedule } from './schedules.ts';

export type Discretization = 'vp' | 've' | 'iddpm' | 'edm';

/** Number of levels and their span, with the constants of the discretization that uses them. */
export interface StepOptions {
  numSteps: number;
  sigmaMin: number;
  sigmaMax: number;
  /** edm: see `KarrasLevels`. */
  rho: number;
  /** vp: the smallest t, where sigma is sigmaMin. */
  epsilonS: number;
  /** iddpm: least ratio of neighbouring alpha-bars. */
  C1: number;
  /** iddpm: offset of the cosine schedule. */
  C2: number;
  /** iddpm: number of levels that the original model was trained on. */
  M: number;
}

/** The span of each discretization where none is asked for. */
export function defaultSpan(discretization: Discretization, epsilonS: number): { sigmaMin: number; sigmaMax: number } {
  const vp = vpSchedule(songBetas);
  const spans = {
    vp: { sigmaMin: vp.sigma(epsilonS), sigmaMax: vp.sigma(1) },
    ve: { sigmaMin: 0.02, sigmaMax: 100 },
    iddpm: { sigmaMin: 0.002, sigmaMax: 81 },
    edm: { sigmaMin: 0.002, sigmaMax: 80 },
  };
  return spans[discretization];
}

/** The levels in descending order. Throws a `UserError` where iddpm has no level within the span. */
export function sigmaSteps(discretization: Discretization, options: StepOptions): number[] {
  const { numSteps, sigmaMin, sigmaMax, epsilonS } = options;
  const fractions = Array.from({ length: numSteps }, (_, i) => i / Math.max(numSteps - 1, 1));
  switch (discretization) {
    case 'edm':
      return karrasSteps(numSteps, options);
    case 'vp': {
      const { sigma } = vpSchedule(vpBetas(sigmaMin, sigmaMax, epsilonS));
      return fractions.map((f) => sigma(1 + f * (epsilonS - 1)));
    }
    case 've':
      return fractions.map((f) => Math.sqrt(sigmaMax ** 2 * (sigmaMin ** 2 / sigmaMax ** 2) ** f));
    case 'iddpm': {
      const levels = iddpmLevels(options).filter((u) => u >= sigmaMin && u <= sigmaMax);
      if (levels.length === 0) {
        throw new UserError(
          'config',
          `No iDDPM noise level lies between sigma_min ${sigmaMin} and sigma_max ${sigmaMax}.`,
          'Widen the range, or choose another discretization.',
        );
      }
      const stride = (levels.length - 1) / Math.max(numSteps - 1, 1);
      return Array.from({ length: numSteps }, (_, i) => levels[roundHalfToEven(stride * i)]!);
    }
  }
}

/**
 * The M + 1 levels of iDDPM's cosine schedule (Nichol and Dhariwal 2021; recurrence in Karras et al. 2022, appendix C.3.3),
 * descending; the last is 0. The original takes the ratio of alpha-bars in float32: near the end, where it is almost 1, that
 * rounding moves sigma by a part in two thousand and is part of the definition. Agrees with PyTorch to 5e-7 (its float32
 * sine is not correctly rounded).
 */
function iddpmLevels({ C1, C2, M }: StepOptions): number[] {
  const f = Math.fround;
  const alphaBar = (j: number) => {
    const sine = f(Math.sin(f(f(f(f(0.5 * Math.PI) * j) / M) / f(C2 + 1))));
    return f(sine * sine);
  };
  const u = new Array<number>(M + 1).fill(0);
  for (let j = M; j > 0; j--) {
    const ratio = Math.max(f(alphaBar(j - 1) / alphaBar(j)), f(C1));
    u[j - 1] = Math.sqrt((u[j]! ** 2 + 1) / ratio - 1);
  }
  return u;
}

/** As PyTorch's `round`; `Math.round` takes halves up. */
function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
