/**
 * The random draws of one iteration. Each kind has a stream of its own, named by seed, purpose and step, so that
 * switching one loss off does not change what another draws.
 */
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { stream } from '../random/stream.ts';
import type { Denoiser } from './denoiser.ts';

/** Noise levels in ascending order; the index is what is drawn (EDM: 1000 Karras levels, 0.002..80, rho 7). */
export type Levels = ArrayLike<number>;

/** Standard normal [count, ...imageShape]. */
function normal(seed: number, path: (string | number)[], count: number, network: Denoiser): TensorData {
  const shape = [count, ...network.imageShape];
  return { shape, data: stream(seed, ...path, 'normal').randn(sizeOf(shape)) };
}

/** Uniform classes as one-hot [count, labelDim]; nothing for an unconditional network. */
export function drawLabels(seed: number, path: (string | number)[], count: number, labelDim: number): TensorData {
  const data = new Float32Array(count * labelDim);
  if (labelDim > 0) {
    stream(seed, ...path, 'labels')
      .randint(0, labelDim, count)
      .forEach((id, i) => {
        data[i * labelDim + id] = 1;
      });
  }
  return { shape: [count, labelDim], data };
}

/** Noise and labels for `count` generated images. */
export function drawLatents(seed: number, path: (string | number)[], count: number, network: Denoiser) {
  return {
    z: normal(seed, path, count, network),
    ...(network.labelDim > 0 ? { labels: drawLabels(seed, path, count, network.labelDim) } : {}),
  };
}

/** Per-sample noise levels, index uniform in first..last inclusive, and the noise to add. */
export function drawDiffusion(
  seed: number,
  path: (string | number)[],
  count: number,
  network: Denoiser,
  range: { levels: Levels; first: number; last: number },
) {
  const indices = stream(seed, ...path, 'levels').randint(range.first, range.last + 1, count);
  return {
    sigma: { shape: [count], data: Float32Array.from(indices, (index) => range.levels[index]) },
    noise: normal(seed, path, count, network),
  };
}
