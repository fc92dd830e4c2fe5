/**
 * A mixture of isotropic Gaussians in a few dimensions: data whose denoiser is known exactly, so that a method can be
 * judged without a teacher's own errors. A point is an image of one pixel with a channel per coordinate.
 */
import type { Tensor } from '../graph/graph.ts';
import { add, div, log, matmul, mul, reshape, softmax, square, sub, sum } from '../graph/ops/index.ts';
import { layoutOf, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';

/** Equally likely modes. */
export interface Mixture {
  /** Centres, [modes][coordinates]. */
  readonly modes: readonly (readonly number[])[];
  /** Standard deviation of every mode along every axis, but for those of `stds`. */
  readonly std: number;
  /** One for each mode. */
  readonly stds?: readonly number[] | undefined;
}

/** The standard deviation of each mode. */
export const stdsOf = ({ modes, std, stds }: Mixture): readonly number[] => stds ?? modes.map(() => std);

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
export function mixtureDenoiser(mixture: Mixture): MixtureDenoiser {
  const { modes, std, stds } = mixture;
  const dimensions = modes[0]?.length ?? 0;
  if (stds && (stds.length !== modes.length || stds.some((own) => !(own > 0)))) {
    throw new Error('a mixture needs a std above 0 for each of its modes');
  }
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
      if (stds) return reshape(denoiseEach(points, reshape(square(sigma), [batch, 1]), mixture), x.shape);
      const centres = graph.constant([modes.length, dimensions], modes.flat());
      const noise = reshape(square(sigma), [batch, 1]);
      const variance = add(noise, std ** 2);
      const nearness = sub(matmul(points, centres, { transB: true }), graph.constant([1, modes.length], halfNorms));
      const centre = matmul(softmax(div(nearness, variance)), centres);
      return reshape(div(add(mul(points, std ** 2), mul(noise, centre)), variance), x.shape);
    },
  };
}

/**
 * The same of modes that are not all as wide, points [B, D]: with v_m = std_m^2 + sigma^2 a point belongs to mode m with probability
 * p_m = softmax(-|x - m|^2 / (2 v_m) - D/2 log v_m), and D = sum of p_m (std_m^2 x + sigma^2 m) / v_m.
 */
function denoiseEach(points: Tensor, noise: Tensor, mixture: Mixture): Tensor {
  const { modes } = mixture;
  const { graph } = points;
  const [count, dimensions] = [modes.length, modes[0]!.length];
  const row = (values: readonly number[]) => graph.constant([1, count], values);
  const centres = graph.constant([count, dimensions], modes.flat());
  const own = row(stdsOf(mixture).map((std) => std ** 2));
  const variance = add(noise, own);
  const norms = row(modes.map((mode) => mode.reduce((total, c) => total + c ** 2, 0)));
  const ofPoints = sum(square(points), { axes: [1], keepDims: true });
  const squares = add(sub(ofPoints, mul(matmul(points, centres, { transB: true }), 2)), norms);
  const nearness = sub(div(squares, mul(variance, -2)), mul(log(variance), dimensions / 2));
  const parts = div(softmax(nearness), variance);
  const kept = sum(mul(parts, own), { axes: [1], keepDims: true });
  return add(mul(points, kept), mul(noise, matmul(parts, centres)));
}

/** `count` points, flat [count, coordinates]. */
export function sampleMixture(
  mixture: Mixture,
  random: { randint(low: number, high: number, n: number): Int32Array; randn(n: number): Float32Array },
  count: number,
): Float32Array {
  const { modes } = mixture;
  const stds = stdsOf(mixture);
  const dimensions = modes[0]!.length;
  const chosen = random.randint(0, modes.length, count);
  return random.randn(count * dimensions).map((z, i) => {
    const mode = chosen[Math.floor(i / dimensions)]!;
    return modes[mode]![i % dimensions]! + stds[mode]! * z;
  });
}
