/** EDM's own preconditioning (Table 1, last column): unit variance in and out at every noise level. */
import { add, div, log, mul, sqrt, square } from '../../graph/ops/index.ts';
import type { Preconditioning } from './preconditioning.ts';

export interface EDMOptions {
  readonly sigma_min: number;
  readonly sigma_max: number;
  /** Standard deviation of the training images. */
  readonly sigma_data: number;
}

export function edmPreconditioning(options: EDMOptions): Preconditioning {
  const data = options.sigma_data;
  return {
    sigmaMin: options.sigma_min,
    sigmaMax: options.sigma_max,
    outputFactor: 1,
    roundSigma: (sigma) => sigma,
    coefficients(sigma) {
      const variance = add(square(sigma), data * data);
      const deviation = sqrt(variance);
      return {
        skip: div(data * data, variance),
        out: div(mul(sigma, data), deviation),
        in: div(1, deviation),
        noise: div(log(sigma), 4),
      };
    },
  };
}
