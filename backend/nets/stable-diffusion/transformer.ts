/**
 * The transformer of a U-Net level (diffusers' Transformer2DModel with BasicTransformerBlock): every position is a token
 * that attends to all positions, then to the text, then passes a gated feed-forward layer. Tokens are [B * H * W, C] throughout.
 */
import type { Tensor } from '../../graph/graph.ts';
import { add, gelu, headAttention, mul, reshape, sliceAxis } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';
import { scoped } from '../edm/layers.ts';
import { groupNormLayer, layerNormLayer, linearLayer, toImage, toTokens } from './layers.ts';

export interface TransformerStyle {
  readonly groups: number;
  readonly heads: number;
  /** Blocks of attention, attention and feed-forward, one after the other. */
  readonly depth: number;
  /** The projections in and out are stored as linear layers (SD 2) and not as 1x1 convolutions; they compute the same. */
  readonly linearProjection: boolean;
}

/** x [B, C, H, W], context [B, L, D] -> [B, C, H, W]. */
export function transformer2d(p: ParameterSource, style: TransformerStyle, x: Tensor, context: Tensor): Tensor {
  const [batch, channels] = x.shape;
  const asConvolution = !style.linearProjection;
  let h = toTokens(groupNormLayer(p, 'norm', x, style.groups, 1e-6));
  h = linearLayer(p, 'proj_in', h, channels, { asConvolution });
  for (let i = 0; i < style.depth; i++) {
    h = transformerBlock(scoped(p, `transformer_blocks.${i}`), h, batch, style.heads, context);
  }
  return add(x, toImage(linearLayer(p, 'proj_out', h, channels, { asConvolution, zero: true }), x));
}

/** x [B * L, C] -> [B * L, C]. */
function transformerBlock(p: ParameterSource, x: Tensor, batch: number, heads: number, context: Tensor): Tensor {
  const [, length, contextDim] = context.shape;
  const words = reshape(context, [batch * length, contextDim]);
  const first = layerNormLayer(p, 'norm1', x);
  let h = add(x, attend(scoped(p, 'attn1'), first, first, batch, heads));
  h = add(h, attend(scoped(p, 'attn2'), layerNormLayer(p, 'norm2', h), words, batch, heads));
  return add(h, feedForward(scoped(p, 'ff'), layerNormLayer(p, 'norm3', h)));
}

/** Queries from x [B * Lq, C], keys and values from `source` [B * Lk, D] -> [B * Lq, C]. */
function attend(p: ParameterSource, x: Tensor, source: Tensor, batch: number, heads: number): Tensor {
  const [rows, channels] = x.shape;
  const projected = (name: string, from: Tensor) =>
    reshape(linearLayer(p, name, from, channels, { bias: false }), [batch, from.shape[0] / batch, channels]);
  const mixed = headAttention(projected('to_q', x), projected('to_k', source), projected('to_v', source), { heads });
  return linearLayer(p, 'to_out.0', reshape(mixed, [rows, channels]), channels);
}

/** GEGLU (Shazeer 2020, arXiv 2002.05202), four times as wide inside. */
function feedForward(p: ParameterSource, x: Tensor): Tensor {
  const [, channels] = x.shape;
  const inner = 4 * channels;
  const both = linearLayer(p, 'net.0.proj', x, 2 * inner);
  const gated = mul(sliceAxis(both, 1, 0, inner), gelu(sliceAxis(both, 1, inner, 2 * inner)));
  return linearLayer(p, 'net.2', gated, channels);
}
