/** Every operation a graph can hold, and the functions that apply them. */
export { attention, softmax } from './attention.ts';
export { type ConvOptions, conv2d } from './conv.ts';
export { crossEntropy } from './cross-entropy.ts';
export * from './elementwise.ts';
export { embedding } from './embedding.ts';
export { type HeadAttentionOptions, headAttention } from './head-attention.ts';
export { layerNorm } from './layer-norm.ts';
export { broadcastTo, concat, pad, reshape, slice, sliceAxis, transpose, widen } from './layout.ts';
export { linear, matmul } from './matmul.ts';
export { channelAffine, groupNorm } from './normalize.ts';
export { averagePool2d, maxPool2d, type PoolOptions } from './pool.ts';
export { max, mean, sum, sumTo } from './reduce.ts';
export { downsample2, upsample2 } from './resample.ts';
