/** The networks of Stable Diffusion 1 and 2, as diffusers and transformers store them. */
export type { Autoencoder, LatentMoments } from './autoencoder.ts';
export { type AutoencoderKLConfig, createAutoencoderKL } from './autoencoder-kl.ts';
export { type AutoencoderTinyConfig, createAutoencoderTiny } from './autoencoder-tiny.ts';
export { type ClipTextConfig, createClipText, type TextEncoder, type TextEncoderOptions } from './clip-text.ts';
export { ignoredKeys } from './config.ts';
export { createTextUNet, type TextUNet, type TextUNetOptions } from './unet.ts';
export type { UNetConfig } from './unet-config.ts';
