/** What EDM's two U-Nets have in common. */
import type { Tensor } from '../../graph/graph.ts';

/** Constructor options under their original names. Dropout is a matter of training and always off here. */
export interface UNetOptions {
  readonly augment_dim: number;
  readonly model_channels: number;
  readonly channel_mult: readonly number[];
  readonly channel_mult_emb: number;
  /** Residual blocks per resolution in the encoder; the decoder has one more. */
  readonly num_blocks: number;
  readonly attn_resolutions: readonly number[];
  readonly dropout: number;
  readonly label_dropout: number;
}

/** What the preconditioning around the network decides. */
export interface UNetShape {
  readonly resolution: number;
  readonly outChannels: number;
  readonly labelDim: number;
  /** Every block is a recomputation region. */
  readonly recompute: boolean;
  /** Only the encoder: its deepest features in place of the output. */
  readonly bottleneck?: boolean;
}

export interface Conditions {
  /** c_noise, [B]. */
  readonly noise: Tensor;
  /** [B, labelDim]; null counts as zeros. */
  readonly labels: Tensor | null;
  /** [B, augment_dim]; null leaves the augmentation out. */
  readonly augmentLabels: Tensor | null;
}
