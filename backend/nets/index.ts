/** Networks: EDM's U-Nets and preconditionings, and a small MLP for points. */
export { type NetworkConfig, parseNetworkConfig } from './config.ts';
export { createNetwork, type DenoiseOptions, type Network, type NetworkOptions } from './network.ts';
