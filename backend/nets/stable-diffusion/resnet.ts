/** The residual block of U-Net and autoencoder (diffusers' ResnetBlock2D), and the layers that halve and double images. */
import type { Tensor } from '../../graph/graph.ts';
import { add, reshape, silu, slice, upsample2 } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';
import { conv3, convLayer, linearLayer, normSilu } from './layers.ts';

export interface ResnetStyle {
  readonly groups: number;
  readonly epsilon: number;
  /** The last convolution starts at zero, as in the original latent diffusion U-Net: a new block is the identity. */
  readonly zero: boolean;
}

/** x [B, C, H, W] -> [B, out, H, W]; `emb` [B, E] is the time embedding before its SiLU, null in an autoencoder. */
export function resnetBlock(
  p: ParameterSource,
  style: ResnetStyle,
  x: Tensor,
  out: number,
  emb: Tensor | null,
): Tensor {
  const { groups, epsilon, zero } = style;
  const [batch, channels] = x.shape;
  let h = conv3(p, 'conv1', normSilu(p, 'norm1', x, groups, epsilon), out);
  if (emb) h = add(h, reshape(linearLayer(p, 'time_emb_proj', silu(emb), out), [batch, out, 1, 1]));
  h = conv3(p, 'conv2', normSilu(p, 'norm2', h, groups, epsilon), out, { zero });
  return add(h, channels === out ? x : convLayer(p, 'conv_shortcut', x, out, { kernel: 1 }));
}

/** [B, C, H, W] -> [B, C, H/2, W/2], rounded up with `padding` 1, down with 0 (then one row and column is added). */
export function downsample(p: ParameterSource, x: Tensor, padding: 0 | 1): Tensor {
  const around = padding === 0 ? ([0, 0, 1, 1] as const) : 1;
  return convLayer(p, 'conv', x, x.shape[1], { kernel: 3, stride: 2, padding: around });
}

/** [B, C, H, W] -> [B, C, height, width]: every pixel four times, then a convolution; one row or column may fall short. */
export function upsample(p: ParameterSource, x: Tensor, height: number, width: number): Tensor {
  return conv3(p, 'conv', repeated(x, height, width), x.shape[1]);
}

/** Nearest neighbours. To 2n or 2n - 1 pixels from n: both are every pixel twice, the last one once in the latter. */
function repeated(x: Tensor, height: number, width: number): Tensor {
  const twice = upsample2(x, [1, 1], { gain: 4 });
  const [batch, channels, rows, columns] = twice.shape;
  return rows === height && columns === width ? twice : slice(twice, [0, 0, 0, 0], [batch, channels, height, width]);
}
