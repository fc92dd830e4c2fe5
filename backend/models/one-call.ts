/** A denoiser as a one-step generator. */
import type { Tensor } from '../graph/graph.ts';
import { mul } from '../graph/ops/index.ts';
import type { ParameterSource } from '../graph/parameters.ts';
import type { Denoiser } from './denoiser.ts';

/** G(z) = D(sigma z; sigma), z [B, ...] standard normal. */
export function generate(
  network: Denoiser,
  source: ParameterSource,
  z: Tensor,
  labels: Tensor | null,
  sigma: number,
): Tensor {
  const batch = z.shape[0];
  const level = z.graph.constant([batch], new Float32Array(batch).fill(sigma));
  return network.denoise(source, mul(z, sigma), level, labels);
}
