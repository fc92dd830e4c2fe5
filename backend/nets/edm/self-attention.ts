/** Self-attention over all positions of an image, the second half of a U-Net block. */
import type { Tensor } from '../../graph/graph.ts';
import { attention, conv2d, reshape, sliceAxis, transpose } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';
import type { LayerInit } from './initialization.ts';
import { convParameters, groupNormLayer } from './layers.ts';

interface AttentionStyle {
  readonly epsilon: number;
  readonly initAttention: LayerInit;
  readonly initZero: LayerInit;
}

/** x [B, C, H, W] -> [B, C, H, W], before the residual sum. C must divide by `heads`. */
export function selfAttention(p: ParameterSource, style: AttentionStyle, x: Tensor, heads: number): Tensor {
  const [batch, channels, height, width] = x.shape;
  const normalized = groupNormLayer(p, 'norm2', x, style.epsilon);
  const qkv = convParameters(p, 'qkv', channels, 3 * channels, 1, style.initAttention);
  const all = conv2d(normalized, apart(qkv.weight), apart(qkv.bias));
  const [q, k, v] = [0, 1, 2].map((i) =>
    reshape(sliceAxis(all, 1, i * channels, (i + 1) * channels), [batch * heads, channels / heads, height * width]),
  );
  const mixed = reshape(attention(q, k, v), x.shape);
  const proj = convParameters(p, 'proj', channels, channels, 1, style.initZero);
  return conv2d(mixed, proj.weight, proj.bias);
}

/**
 * The original interleaves q, k and v row by row: (head, channel, {q, k, v}). Sorting the kernel's rows into all q, all
 * k, all v costs far less than sorting the activations.
 */
function apart(parameter: Tensor): Tensor {
  const [rows, ...rest] = parameter.shape;
  const interleaved = reshape(parameter, [rows / 3, 3, ...rest]);
  const perm = [1, 0, ...rest.map((_, i) => i + 2)];
  return reshape(transpose(interleaved, perm), parameter.shape);
}
