/**
 * How EDM trains a denoiser (Karras et al. 2022, Table 1, "Training"): noise levels are log-normal, and the weight makes
 * the loss of an untrained network equal at every level. Loss: mean(weight * (D(x + sigma eps; sigma) - x)^2).
 *
 * This is for training a teacher. DMD's fake score draws its levels elsewhere: see karras.ts.
 */

/** Mean and spread of ln(sigma). */
export interface LogNormalLevels {
  pMean: number;
  pStd: number;
}

export const edmTrainingLevels: LogNormalLevels = { pMean: -1.2, pStd: 1.2 };

/** One level per standard normal: sigma = exp(pMean + pStd * normal). */
export function trainingSigmas(normals: Float32Array, { pMean, pStd }: LogNormalLevels = edmTrainingLevels) {
  return normals.map((normal) => Math.exp(pMean + pStd * normal));
}

/** lambda(sigma) = (sigma^2 + sigmaData^2) / (sigma sigmaData)^2, one per level. */
export function edmLossWeights(sigmas: Float32Array, sigmaData = 0.5): Float32Array {
  return sigmas.map((sigma) => (sigma ** 2 + sigmaData ** 2) / (sigma * sigmaData) ** 2);
}
