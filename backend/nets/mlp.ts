/**
 * A small residual network for points instead of pictures: a point is an image of one pixel with one channel per
 * coordinate. The noise level enters every block through a positional embedding, as in the U-Nets.
 */
import type { Tensor } from '../graph/graph.ts';
import { add, linear, mul, reshape, silu } from '../graph/ops/index.ts';
import type { ParameterSource } from '../graph/parameters.ts';
import { positionalEmbedding } from './edm/embedding.ts';
import type { LayerInit } from './edm/initialization.ts';
import { linearLayer, scoped } from './edm/layers.ts';
import type { Conditions, UNetShape } from './edm/unet.ts';

export interface MLPOptions {
  /** Width of every hidden layer. */
  readonly model_channels: number;
  /** Residual blocks of two layers each. */
  readonly num_blocks: number;
}

const init: LayerInit = { mode: 'kaiming_uniform', weight: 1, bias: 0 };
const initZero: LayerInit = { ...init, weight: 1e-5 };
/** EDM's c_noise spans -1.5..1.1 where the embedding expects hundreds; 16 resolves a factor of 1.5 in sigma well. */
const noiseScale = 16;

/** c_noise [B] -> [B, model_channels]. */
export function mlpNoiseEmbedding(options: MLPOptions, noise: Tensor): Tensor {
  return positionalEmbedding(mul(noise, noiseScale), options.model_channels);
}

/** x [B, C, R, R] -> [B, outChannels, R, R]; meant for R = 1. At its bottleneck the last hidden layer, [B, model_channels, 1, 1]. */
export function mlp(
  p: ParameterSource,
  options: MLPOptions,
  shape: UNetShape,
  x: Tensor,
  conditions: Conditions,
): Tensor {
  const { model_channels: width } = options;
  const [batch, channels, rows, columns] = x.shape;
  const emb = embed(p, options, shape, conditions);
  let h = linearLayer(p, 'input', reshape(x, [batch, channels * rows * columns]), width, init);
  for (let i = 0; i < options.num_blocks; i++) {
    const q = scoped(p, `block${i}`);
    const hidden = add(linearLayer(q, 'layer0', silu(h), width, init), linearLayer(q, 'affine', emb, width, init));
    h = add(h, linearLayer(q, 'layer1', silu(hidden), width, init));
  }
  if (shape.bottleneck) return reshape(h, [batch, width, 1, 1]);
  const out = linearLayer(p, 'output', silu(h), shape.outChannels * rows * columns, initZero);
  return reshape(out, [batch, shape.outChannels, rows, columns]);
}

function embed(p: ParameterSource, options: MLPOptions, shape: UNetShape, conditions: Conditions): Tensor {
  const { noise, labels } = conditions;
  const { model_channels: width } = options;
  let emb = mlpNoiseEmbedding(options, noise);
  if (shape.labelDim > 0) {
    const weight = p.get('map_label.weight', [width, shape.labelDim], { kind: 'normal', std: 1 });
    if (labels) emb = add(emb, linear(labels, weight));
  }
  emb = silu(linearLayer(p, 'map_layer0', emb, width, init));
  return silu(linearLayer(p, 'map_layer1', emb, width, init));
}
