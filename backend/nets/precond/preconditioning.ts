/**
 * How a raw network F becomes a denoiser D (EDM, Karras et al. 2022, arXiv 2206.00364, Eq. 7 and Table 1):
 * D(x; sigma) = c_skip x + c_out F(c_in x; c_noise). Everything is in-graph, because in training sigma is a tensor.
 */
import type { Tensor } from '../../graph/graph.ts';

/** Each is [B] or, where it does not depend on sigma, a number. */
export interface Coefficients {
  readonly skip: Tensor | number;
  readonly out: Tensor | number;
  readonly in: Tensor | number;
  readonly noise: Tensor;
}

export interface Preconditioning {
  /** The range of noise levels the network was made for; 0 and Infinity where it sets no bound. */
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** Channels of F for each image channel; D uses the first `channels` ones. */
  readonly outputFactor: 1 | 2;
  /** The nearest noise level that the network can be conditioned on. */
  roundSigma(sigma: number): number;
  /** sigma [B], all above 0. */
  coefficients(sigma: Tensor): Coefficients;
}
