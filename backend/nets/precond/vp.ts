/** The variance-preserving preconditioning of Song et al. 2021 (EDM Table 1, column VP). */
import { add, div, log, mul, neg, sqrt, square, sub } from '../../graph/ops/index.ts';
import type { Preconditioning } from './preconditioning.ts';

export interface VPOptions {
  /** Extent and minimum of the noise schedule beta(t) = beta_d t + beta_min. */
  readonly beta_d: number;
  readonly beta_min: number;
  /** Time steps the network was trained on. */
  readonly M: number;
  /** Smallest time. */
  readonly epsilon_t: number;
}

/** sigma at time t in (0, 1]. */
export function vpSigma(options: Pick<VPOptions, 'beta_d' | 'beta_min'>, t: number): number {
  return Math.sqrt(Math.expm1(0.5 * options.beta_d * t * t + options.beta_min * t));
}

/** The time at which the noise level is sigma. */
export function vpTime(options: Pick<VPOptions, 'beta_d' | 'beta_min'>, sigma: number): number {
  const { beta_d, beta_min } = options;
  return (Math.sqrt(beta_min ** 2 + 2 * beta_d * Math.log1p(sigma * sigma)) - beta_min) / beta_d;
}

export function vpPreconditioning(options: VPOptions): Preconditioning {
  const { beta_d, beta_min, M } = options;
  return {
    sigmaMin: vpSigma(options, options.epsilon_t),
    sigmaMax: vpSigma(options, 1),
    outputFactor: 1,
    roundSigma: (sigma) => sigma,
    coefficients(sigma) {
      const growth = add(square(sigma), 1);
      const root = sqrt(add(mul(log(growth), 2 * beta_d), beta_min ** 2));
      const time = div(sub(root, beta_min), beta_d);
      return { skip: 1, out: neg(sigma), in: div(1, sqrt(growth)), noise: mul(time, M - 1) };
    },
  };
}
