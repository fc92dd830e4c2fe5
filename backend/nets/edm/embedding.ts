/** Embeddings of the noise level, as EDM's PositionalEmbedding and FourierEmbedding: [B] -> [B, channels], [cos, sin]. */
import type { Tensor } from '../../graph/graph.ts';
import { concat, cos, mul, reshape, sin, sliceAxis } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';

const maxPositions = 10000;
/** Standard deviation of the random frequencies (Song et al. 2021, arXiv 2011.13456, appendix C). */
const fourierScale = 16;

function cosSin(noise: Tensor, frequencies: Tensor): Tensor {
  const angles = mul(reshape(noise, [noise.shape[0], 1]), reshape(frequencies, [1, frequencies.shape[0]]));
  return concat([cos(angles), sin(angles)], 1);
}

/**
 * Frequencies fall geometrically from 1 to 1/10000 (Vaswani et al. 2017). With `endpoint` the last one is exactly
 * 1/10000 (SongUNet); without, it stops one step short (ADM).
 */
export function positionalEmbedding(noise: Tensor, channels: number, { endpoint = false } = {}): Tensor {
  const half = channels / 2;
  const steps = half - (endpoint ? 1 : 0);
  const frequencies = Float32Array.from({ length: half }, (_, i) => maxPositions ** -Math.fround(i / steps));
  return cosSin(noise, noise.graph.constant([half], frequencies));
}

/** Random frequencies, fixed when the network is made; kept under `name` because every trained weight depends on them. */
export function fourierEmbedding(p: ParameterSource, name: string, noise: Tensor, channels: number): Tensor {
  const frequencies = p.get(`${name}.freqs`, [channels / 2], { kind: 'normal', std: fourierScale }, 'fixed');
  return cosSin(noise, mul(frequencies, 2 * Math.PI));
}

/** [cos, sin] -> [sin, cos]. */
export function swapHalves(embedding: Tensor): Tensor {
  const [, channels] = embedding.shape;
  const half = channels / 2;
  return concat([sliceAxis(embedding, 1, half, channels), sliceAxis(embedding, 1, 0, half)], 1);
}
