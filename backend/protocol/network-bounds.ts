/**
 * The largest network that a configuration may ask for, well above any that was ever trained. A configuration comes out of files
 * of a few hundred bytes, and a network is built to say what its weights are called: without bounds a number in such a file is
 * hours and gigabytes.
 */
export const most = {
  /** Pixels along a side. */
  pixels: 2 ** 14,
  /** Numbers of anything that is as wide as a layer: channels, heads, groups, tokens. */
  width: 2 ** 16,
  /** How often a width may be multiplied. */
  factor: 2 ** 10,
  /** Resolutions of a U-Net; every one halves the image. */
  levels: 12,
  /** Blocks of one level, layers of a transformer. */
  blocks: 256,
  /** Blocks, and the layers in them, of a whole network. */
  blocksInAll: 2048,
  classes: 2 ** 17,
  /** Of a vocabulary. */
  tokens: 2 ** 20,
  /** Numbers of a resampling filter. */
  taps: 64,
  /** Kernels along a side. */
  kernel: 63,
  timesteps: 100_000,
} as const;
