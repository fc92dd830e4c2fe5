/**
 * What lowering may count on where a model will run. Plain data: an engine fills it in for its device
 * (engine/capabilities.ts), and the same data always give the same model.
 */

/**
 * Operators of ONNX Runtime that do the work of several, under their names there and in ONNX. Each has a written-out form, which is
 * taken where a device does not list it.
 */
export const fusedOperators = [
  'QuickGelu',
  'Gelu',
  'FusedMatMul',
  'MultiHeadAttention',
  'InstanceNormalization',
  'BatchNormalization',
  'ScatterND',
] as const;
export type OrtOperator = (typeof fusedOperators)[number];

/** GroupNormalization is OpenVINO's: ONNX Runtime would write it out as it does every function of ONNX. */
export type FusedOperator = OrtOperator | 'GroupNormalization';

export interface LoweringCapabilities {
  /** Fused operators that the device has and computes rightly. */
  readonly fused: readonly FusedOperator[];
  /** MultiHeadAttention holds no table of weights (unless causal), so that it needs no share of `attentionBytes`. */
  readonly streamsAttention: boolean;
  /** Bytes that the tables [heads, queries, keys] of one attention may take together while it is computed. */
  readonly attentionBytes: number;
  /** Bytes of the largest tensor. */
  readonly largestBuffer: number;
  /** Outputs that one Split may have. */
  readonly splitOutputs: number;
  /** Channels per block of ONNX Runtime's blocked layout on this processor; 0 where convolutions have none. */
  readonly channelBlock: number;
  /** Gradients of kernels from shifted windows are faster than those from gathered columns. */
  readonly shiftedWindows: boolean;
}

/** Nothing but standard operators, and moderate in memory: files for other tools and machines. */
export const portable: LoweringCapabilities = {
  fused: [],
  streamsAttention: false,
  attentionBytes: 2 ** 27,
  largestBuffer: 2 ** 27,
  splitOutputs: 7,
  channelBlock: 0,
  shiftedWindows: false,
};
