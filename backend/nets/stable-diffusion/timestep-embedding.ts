/** The embedding of an integer timestep, as diffusers' Timesteps: sines and cosines of geometrically falling frequencies. */
import type { Tensor } from '../../graph/graph.ts';
import { concat, cos, mul, reshape, sin } from '../../graph/ops/index.ts';

interface TimestepEmbedding {
  /** Even. */
  readonly channels: number;
  /** Cosines first. */
  readonly flip: boolean;
  /** Taken off the number of frequencies that the fall to 1/10000 is spread over. */
  readonly shift: number;
}

/** timestep [B] -> [B, channels]. */
export function timestepEmbedding(timestep: Tensor, { channels, flip, shift }: TimestepEmbedding): Tensor {
  const half = channels / 2;
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(-Math.log(10000) * i) / (half - shift))),
  );
  const angles = mul(reshape(timestep, [timestep.shape[0], 1]), timestep.graph.constant([1, half], frequencies));
  return concat(flip ? [cos(angles), sin(angles)] : [sin(angles), cos(angles)], 1);
}
