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

/**
 * sigma at time t in (0, 1], rounded to float32 step by step as the original does: near t = 0 the exponential is so
 * close to 1 that this decides the result (sigma_min is 0.0009766 for 0.0010005).
 */
export function vpSigma({ beta_d, beta_min }: Pick<VPOptions, 'beta_d' | 'beta_min'>, t: number): number {
  const f = Math.fround;
  const time = f(t);
  const exponent = f(f(0.5 * beta_d * f(time * time)) + f(beta_min * time));
  return f(Math.sqrt(f(f(Math.exp(exponent)) - 1)));
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
