/** The variance-exploding preconditioning of Song et al. 2021 (EDM Table 1, column VE). */
import { log, mul } from '../../graph/ops/index.ts';
import type { Preconditioning } from './preconditioning.ts';

export interface VEOptions {
  readonly sigma_min: number;
  readonly sigma_max: number;
}

export function vePreconditioning(options: VEOptions): Preconditioning {
  return {
    sigmaMin: options.sigma_min,
    sigmaMax: options.sigma_max,
    outputFactor: 1,
    roundSigma: (sigma) => sigma,
    coefficients: (sigma) => ({ skip: 1, out: sigma, in: 1, noise: log(mul(sigma, 0.5)) }),
  };
}
