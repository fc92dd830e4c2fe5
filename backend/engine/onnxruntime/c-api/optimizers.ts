/**
 * ONNX Runtime's graph optimizers that find nothing in the graphs of graph/onnx: what they would fuse is written fused there
 * already, or is no part of these networks (quantized weights, key-value caches). Each looks through every node several times, which
 * was about half of what opening a session took (docs/performance.md). Left on is what has changed one of the graphs that tests and
 * benchmarks make, or stands close to it and costs little: shared subexpressions, constants, scales of matrix products, channel blocks and the activations beside them.
 */
const withoutUse = [
  'AttentionFusion',
  'BiasDropoutFusion',
  'BiasSkipLayerNormFusion',
  'BiasSoftmaxFusion',
  'ConstantSharing',
  'DoubleQDQPairsRemover',
  'DynamicQuantizeMatMulFusion',
  'EmbedLayerNormFusion',
  'EnsureUniqueDQForNodeUnit',
  'FastGeluFusion',
  'FreeDimensionOverrideTransformer',
  'GatherToSliceFusion',
  'GeluFusionL1',
  'GeluFusionL2',
  'GemmActivationFusion',
  'GroupQueryAttentionFusion',
  'GroupQueryAttentionPreNormFusion',
  'LayerNormFusionL1',
  'LayerNormFusionL2',
  'Level2_RuleBasedTransformer',
  'MatMulActivationFusion',
  'MatMulIntegerToFloatFusion',
  'MatMulNBitsFusion',
  'NhwcTransformer',
  'QDQFinalCleanupTransformer',
  'QDQPropagationTransformer',
  'QDQS8ToU8Transformer',
  'QDQSelectorActionTransformer',
  'ReshapeFusion',
  'SimplifiedLayerNormFusion',
  'SkipLayerNormFusion',
  'SliceConcatToSpaceToDepthFusion',
  'WeightBiasQuantization',
  'WhereDummyDq',
];

/** As `optimization.disable_specified_optimizers` takes it; names that a version does not know are nothing to it. */
export const disabledOptimizers = withoutUse.join(';');
