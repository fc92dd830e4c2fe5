/**
 * The preconditioning of improved DDPM (Nichol and Dhariwal 2021; EDM Table 1, column iDDPM and section C.3): the
 * network knows M discrete noise levels and is conditioned on the nearest one's number. It predicts a variance as well,
 * which D leaves aside.
 */
import type { Tensor } from '../../graph/graph.ts';
import { abs, add, div, equal, max, mul, neg, reshape, sqrt, square, sub } from '../../graph/ops/index.ts';
import type { Preconditioning } from './preconditioning.ts';

export interface IDDPMOptions {
  /** Lower bound of alpha_bar(j-1) / alpha_bar(j) and offset of the cosine schedule. */
  readonly C_1: number;
  readonly C_2: number;
  readonly M: number;
}

/** The M + 1 noise levels u, descending to u[M] = 0. The recurrence runs in float32, as the original's does. */
export function iddpmLevels({ C_1, C_2, M }: IDDPMOptions): Float32Array {
  const f = Math.fround;
  const alphaBar = (j: number) => {
    const angle = f(f(f(f(0.5 * Math.PI) * j) / M) / f(C_2 + 1));
    return f(f(Math.sin(angle)) ** 2);
  };
  const levels = new Float32Array(M + 1);
  for (let j = M; j > 0; j--) {
    const ratio = Math.max(f(alphaBar(j - 1) / alphaBar(j)), f(C_1));
    levels[j - 1] = Math.sqrt(f(f(f(f(levels[j] ** 2) + 1) / ratio) - 1));
  }
  return levels;
}

/** The index of the level nearest to sigma; the smaller one of two equally near. */
export function nearestLevel(levels: Float32Array, sigma: number): number {
  let best = 0;
  levels.forEach((level, i) => {
    if (Math.abs(level - sigma) < Math.abs(levels[best] - sigma)) best = i;
  });
  return best;
}

export function iddpmPreconditioning(options: IDDPMOptions): Preconditioning {
  const levels = iddpmLevels(options);
  const { M } = options;
  return {
    sigmaMin: levels[M - 1],
    sigmaMax: levels[0],
    outputFactor: 2,
    roundSigma: (sigma) => levels[nearestLevel(levels, sigma)],
    coefficients: (sigma) => ({
      skip: 1,
      out: neg(sigma),
      in: div(1, sqrt(add(square(sigma), 1))),
      noise: sub(M - 1, nearestLevelInGraph(levels, sigma)),
    }),
  };
}

/** `nearestLevel` for sigma [B] -> [B]: the largest of -index over the levels at the smallest distance. */
function nearestLevelInGraph(levels: Float32Array, sigma: Tensor): Tensor {
  const { graph } = sigma;
  const count = levels.length;
  const closeness = neg(abs(sub(reshape(sigma, [sigma.shape[0], 1]), graph.constant([1, count], levels))));
  const isNearest = equal(closeness, max(closeness, { axes: [1], keepDims: true }));
  // Positive scores count, index 0 scores highest; the levels that are not nearest score 0.
  const scores = graph.constant(
    [1, count],
    Float32Array.from(levels, (_, i) => count - i),
  );
  return sub(count, max(mul(isNearest, scores), { axes: [1] }));
}
