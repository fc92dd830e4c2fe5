/**
 * Noise schedules sigma(t) and signal scalings s(t): x_t = s(t) (x_0 + sigma(t) eps) (Karras et al. 2022, Table 1).
 *
 * With them the probability-flow ODE of any published diffusion model is one formula (Eq. 4), which the ablation sampler
 * integrates. All in float64; t > 0.
 */
export interface NoiseSchedule {
  sigma(t: number): number;
  /** d sigma / d t. */
  sigmaDerivative(t: number): number;
  /** The t at which sigma(t) is the given level. */
  timeOf(sigma: number): number;
}

export interface Scaling {
  scale(t: number): number;
  /** d s / d t. */
  scaleDerivative(t: number): number;
}

/** EDM and DDIM: time is the noise level itself. */
export const linearSchedule: NoiseSchedule = {
  sigma: (t) => t,
  sigmaDerivative: () => 1,
  timeOf: (sigma) => sigma,
};

/** Variance exploding (Song et al. 2021): sigma = sqrt(t). */
export const veSchedule: NoiseSchedule = {
  sigma: (t) => Math.sqrt(t),
  sigmaDerivative: (t) => 0.5 / Math.sqrt(t),
  timeOf: (sigma) => sigma ** 2,
};

/** Rate of noise of the variance preserving process: beta(t) = betaMin + betaD t. */
export interface VpBetas {
  betaD: number;
  betaMin: number;
}

/** The betas of Song et al. 2021. */
export const songBetas: VpBetas = { betaD: 19.9, betaMin: 0.1 };

/** The betas with which sigma(epsilonS) = sigmaMin and sigma(1) = sigmaMax (Karras et al. 2022, appendix C.1). */
export function vpBetas(sigmaMin: number, sigmaMax: number, epsilonS: number): VpBetas {
  const [low, high] = [Math.log(sigmaMin ** 2 + 1), Math.log(sigmaMax ** 2 + 1)];
  const betaD = (2 * (low / epsilonS - high)) / (epsilonS - 1);
  return { betaD, betaMin: high - 0.5 * betaD };
}

/** Variance preserving (Song et al. 2021): sigma = sqrt(exp(betaD t^2 / 2 + betaMin t) - 1). */
export function vpSchedule({ betaD, betaMin }: VpBetas): NoiseSchedule {
  const sigma = (t: number) => Math.sqrt(Math.E ** (0.5 * betaD * t ** 2 + betaMin * t) - 1);
  return {
    sigma,
    sigmaDerivative: (t) => 0.5 * (betaMin + betaD * t) * (sigma(t) + 1 / sigma(t)),
    timeOf: (level) => (Math.sqrt(betaMin ** 2 + 2 * betaD * Math.log(level ** 2 + 1)) - betaMin) / betaD,
  };
}

/** No scaling: s = 1. */
export const noScaling: Scaling = { scale: () => 1, scaleDerivative: () => 0 };

/** Variance preserving: s = 1 / sqrt(1 + sigma^2), so that data of unit variance keeps unit variance at every t. */
export function vpScaling({ sigma, sigmaDerivative }: NoiseSchedule): Scaling {
  const scale = (t: number) => 1 / Math.sqrt(1 + sigma(t) ** 2);
  return { scale, scaleDerivative: (t) => -sigma(t) * sigmaDerivative(t) * scale(t) ** 3 };
}
