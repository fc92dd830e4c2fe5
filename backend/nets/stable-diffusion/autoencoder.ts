/** What latents are made with: an image in, an eighth of its sides out, and back. Two kinds, one interface. */
import type { Tensor } from '../../graph/graph.ts';
import type { ParameterLayout, ParameterSource } from '../../graph/parameters.ts';

/** The distribution of the latents of a picture, [B, latentChannels, H/f, W/f] each. */
export interface LatentMoments {
  readonly mean: Tensor;
  /** Between -30 and 20, as diffusers bounds it; null where the encoder gives one latent and no distribution. */
  readonly logVariance: Tensor | null;
}

export interface Autoencoder<Config = unknown> {
  /** diffusers' keys, defaults filled in. */
  readonly config: Config;
  readonly layout: ParameterLayout;
  readonly imageChannels: number;
  readonly latentChannels: number;
  /** Pixels per latent along each side: 8 for Stable Diffusion. */
  readonly downFactor: number;
  /** What a diffusion model works on is z = scalingFactor * latent. */
  readonly scalingFactor: number;
  /** images [B, imageChannels, H, W] in [-1, 1], sides multiples of downFactor -> unscaled latents. */
  encode(source: ParameterSource, images: Tensor): LatentMoments;
  /** Unscaled latents [B, latentChannels, h, w] -> images [B, imageChannels, h * f, w * f], about in [-1, 1]. */
  decode(source: ParameterSource, latents: Tensor): Tensor;
}

/** Throws when a picture's sides are no multiples of the factor, or its channels others. */
export function checkImages(images: Tensor, channels: number, factor: number): void {
  const [, given, height, width] = images.shape;
  if (images.shape.length === 4 && given === channels && height % factor === 0 && width % factor === 0) return;
  throw new Error(
    `images are [${images.shape}] where the autoencoder wants [B, ${channels}, H, W], sides multiples of ${factor}`,
  );
}

/** Throws when the channels are others. */
export function checkLatents(latents: Tensor, channels: number): void {
  if (latents.shape.length === 4 && latents.shape[1] === channels) return;
  throw new Error(`latents are [${latents.shape}] where the autoencoder wants [B, ${channels}, h, w]`);
}
