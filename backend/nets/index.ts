/** Networks: EDM's U-Nets and preconditionings, a small MLP for points, and the perceptual distance. */
export { type NetworkConfig, parseNetworkConfig } from './config.ts';
export { createNetwork, type DenoiseOptions, type Network, type NetworkOptions } from './network.ts';
export { type LpipsOptions, lpips, lpipsLayers, lpipsLayout, lpipsWeights } from './perceptual/lpips.ts';
