/** What training and sampling need of an autoencoder of images; `nets/stable-diffusion/` provides it. */
import type { Tensor } from '../graph/graph.ts';
import type { ParameterLayout, ParameterSource } from '../graph/parameters.ts';

/** An autoencoder with a Gaussian of latents for each image. */
export interface GaussianAutoencoder {
  readonly layout: ParameterLayout;
  readonly imageChannels: number;
  readonly latentChannels: number;
  /** Image pixels per latent pixel along a side. */
  readonly downFactor: number;
  /** Images [B, C, H, W] -> moments [B, latentChannels, H/f, W/f]; logarithms of variances bounded, none where latents are exact. */
  encode(source: ParameterSource, images: Tensor): { mean: Tensor; logVariance: Tensor | null };
  decode(source: ParameterSource, latents: Tensor): Tensor;
}

/** [latentChannels, size / f, size / f]. */
export function latentShapeOf(
  { latentChannels, downFactor }: Pick<GaussianAutoencoder, 'latentChannels' | 'downFactor'>,
  size: number,
): [number, number, number] {
  return [latentChannels, size / downFactor, size / downFactor];
}
