/**
 * Consistency models: networks that map a sample of any noise level to the clean end of its path, and one of the lowest level to itself.
 * That boundary condition is laid over a denoiser, so that any of them can become one.
 */
import type { Tensor } from '../graph/graph.ts';
import { add, div, mul, sqrt, square, sub } from '../graph/ops/index.ts';
import type { Network } from '../nets/index.ts';
import { type Boundary, over } from './diffusion-model.ts';

/** The standard deviation that a network's preconditioning takes data to have; EDM's 0.5 where it has none. */
export const sigmaDataOf = ({ config }: Network): number => ('sigma_data' in config ? config.sigma_data : 0.5);

/**
 * Of EDM's kind (Song et al. 2023, arXiv 2303.01469, Appendix C): f = c_skip x + c_out F with c_skip = s^2/((sigma - e)^2 + s^2) and
 * c_out = s (sigma - e)/sqrt(sigma^2 + s^2), s = sigmaData, e = lowest. Written in D, EDM's own c_skip x + c_out F, that is
 * f = r D + (c_skip - r s^2/(sigma^2 + s^2)) x with r = 1 - e/sigma: a condition for any denoiser. From the highest level both are the
 * same to e/sigma, 1 in 40,000 of EDM's.
 */
export function edmBoundary(lowest: number, sigmaData: number): Boundary {
  const variance = sigmaData ** 2;
  const share = (sigma: Tensor) => div(variance, add(square(sigma), variance));
  return {
    lowest,
    returned(xt, clean, { sigma }) {
      const ratio = sub(1, div(lowest, sigma));
      const skip = sub(share(sub(sigma, lowest)), mul(ratio, share(sigma)));
      return add(mul(clean, over(ratio, xt)), mul(xt, over(skip, xt)));
    },
  };
}

/**
 * Of whole timesteps (Luo et al. 2023, arXiv 2310.04378): c_skip x_t + c_out x0 with c_skip = s^2/(u^2 + s^2), c_out = u/sqrt(u^2 + s^2),
 * u = scaling t, s = 0.5. At timestep 0 it returns what it is given.
 */
export function timestepBoundary(scaling: number): Boundary {
  const variance = latentSigmaData ** 2;
  return {
    lowest: 0,
    returned(xt, clean, { t }) {
      const squared = add(square(mul(t, scaling)), variance);
      return add(mul(xt, over(div(variance, squared), xt)), mul(clean, over(div(mul(t, scaling), sqrt(squared)), xt)));
    },
  };
}

const latentSigmaData = 0.5;

/** How much of x_t such a model returns at a timestep; the clean sample is scaled by about 1 less half of that. */
export function skippedAt(timestep: number, scaling: number): number {
  return latentSigmaData ** 2 / ((timestep * scaling) ** 2 + latentSigmaData ** 2);
}

/** A network whose file says that it is a consistency model. @param lowest noise level, as the file says */
export function consistentNetwork(network: Network, lowest: number): Network {
  const boundary = edmBoundary(lowest, sigmaDataOf(network));
  return {
    ...network,
    denoise(source, x, sigma, labels, options = {}) {
      const denoised = network.denoise(source, x, sigma, labels, options);
      return options.rawOutput ? denoised : boundary.returned(x, denoised, { t: sigma, alpha: null, sigma });
    },
  };
}
