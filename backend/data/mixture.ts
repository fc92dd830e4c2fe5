/**
 * A mixture of isotropic Gaussians in a few dimensions: data whose denoiser is known exactly, so that a method can be
 * judged without a teacher's own errors. A point is an image of one pixel with a channel per coordinate.
 */
import type { Tensor } from '../graph/graph.ts';
import { add, div, matmul, mul, reshape, softmax, square, sub } from '../graph/ops/index.ts';
import { layoutOf, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';

/** Equally likely modes. */
export interface Mixture {
  /** Centres, [modes][coordinates]. */
  readonly modes: readonly (readonly number[])[];
  /** Standard deviation of every mode along every axis. */
  readonly std: number;
}

/** A denoiser without parameters: takes the place of a teacher. */
export interface MixtureDenoiser {
  readonly layout: ParameterLayout;
  /** [coordinates, 1, 1] */
  readonly imageShape: readonly [number, number, number];
  readonly labelDim: 0;
  /** E[clean point | x], [B, D, 1, 1]. x [B, D, 1, 1]; sigma [B]. The source is not read. */
  denoise(source: ParameterSource, x: Tensor, sigma: Tensor): Tensor;
}

/**
 * The exact denoiser D(x; sigma). With v = std^2 + sigma^2, a point belongs to mode m with probability
 * softmax((x m - |m|^2 / 2) / v), and then D = (std^2 x + sigma^2 m) / v; the answer is the mean over the modes.
 */
export function mixtureDenoiser({ modes, std }: Mixture): MixtureDenoiser {
  const dimensions = modes[0]?.length ?? 0;
  if (!(std > 0) || dimensions === 0 || modes.some((mode) => mode.length !== dimensions)) {
    throw new Error('a mixture needs modes of one dimension and a std above 0');
  }
  const halfNorms = modes.map((mode) => mode.reduce((sum, c) => sum + c ** 2, 0) / 2);
  return {
    layout: layoutOf([]),
    imageShape: [dimensions, 1, 1],
    labelDim: 0,
    denoise({ graph }, x, sigma) {
      const batch = x.shape[0];
      const points = reshape(x, [batch, dimensions]);
      const centres = graph.constant([modes.length, dimensions], modes.flat());
      const noise = reshape(square(sigma), [batch, 1]);
      const variance = add(noise, std ** 2);
      const nearness = sub(matmul(points, centres, { transB: true }), graph.constant([1, modes.length], halfNorms));
      const centre = matmul(softmax(div(nearness, variance)), centres);
      return reshape(div(add(mul(points, std ** 2), mul(noise, centre)), variance), x.shape);
    },
  };
}

/** `count` points, flat [count, coordinates]. */
export function sampleMixture(
  { modes, std }: Mixture,
  random: { randint(low: number, high: number, n: number): Int32Array; randn(n: number): Float32Array },
  count: number,
): Float32Array {
  const dimensions = modes[0].length;
  const chosen = random.randint(0, modes.length, count);
  return random
    .randn(count * dimensions)
    .map((z, i) => modes[chosen[Math.floor(i / dimensions)]][i % dimensions] + std * z);
}
