/**
 * Frechet distance between two normal distributions (Heusel et al. 2017; pytorch-fid, `calculate_frechet_distance`).
 *
 * What it is called depends on the features: FID only with InceptionV3's pool3. The caller says which, beside every number.
 */

import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { symmetricEigenvalues } from './eigenvalues.ts';
import type { FeatureStatistics } from './feature-statistics.ts';
import { addTimesTransposed, timesTransposed } from './matrix.ts';

/**
 * |mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), at least 0 but for rounding. Fewer pictures than features (singular
 * covariances) are fine. Blocks its thread: for 2048 features some 40 s of one core.
 */
export function frechetDistance(a: FeatureStatistics, b: FeatureStatistics): number {
  const dims = a.mean.length;
  if (b.mean.length !== dims) throw new Error(`features of ${dims} and of ${b.mean.length} numbers cannot be compared`);
  const meanTerm = a.mean.reduce((sum, mean, d) => sum + (mean - b.mean[d]!) ** 2, 0);
  return (
    meanTerm + trace(a.covariance, dims) + trace(b.covariance, dims) - 2 * traceOfRoot(a.covariance, b.covariance, dims)
  );
}

/**
 * tr((S1 S2)^(1/2)): the sum of the roots of the eigenvalues of S1 S2. With S1 = F^T F and S2 = G^T G those are, but for
 * zeros, the eigenvalues of the symmetric P P^T, P = F G^T.
 */
function traceOfRoot(first: Float64Array, second: Float64Array, dims: number): number {
  const factors = [pivotedCholesky(first, dims), pivotedCholesky(second, dims)];
  const [narrow, wide] = factors.sort((f, g) => f.length - g.length) as [Float64Array, Float64Array];
  const rank = narrow.length / dims;
  if (rank === 0) return 0;
  if (rank < dims && dims <= UNREDUCED_LIMIT) return unreducedTraceOfRoot(first, second, dims);
  const cross = timesTransposed(narrow, wide, dims);
  const gram = addTimesTransposed(cross, cross, wide.length / dims, new Float64Array(rank * rank), { lowerOnly: true });
  // Rounding may leave a zero slightly negative.
  return symmetricEigenvalues(gram, rank).reduce((sum, value) => sum + Math.sqrt(Math.max(value, 0)), 0);
}

/** Up to this many features, singular covariances are treated as the original does; beyond, it would take minutes. */
const UNREDUCED_LIMIT = 512;

/**
 * The same from S1 S2 itself. Where a covariance is singular pytorch-fid's number carries a bias of some 1e-8, because each
 * eigenvalue that should be 0 is rounding (1e-16), and the root magnifies that. It is not wrong enough to differ from: this
 * way has the same bias, and agrees with it to a few 1e-9.
 */
function unreducedTraceOfRoot(first: Float64Array, second: Float64Array, dims: number): number {
  const product = Matrix.from1DArray(dims, dims, timesTransposed(first, second, dims));
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(product, { assumeSymmetric: false });
  // The real part of the root of each eigenvalue.
  return realEigenvalues.reduce(
    (sum, re, i) => sum + Math.sqrt((Math.hypot(re, imaginaryEigenvalues[i]!) + re) / 2),
    0,
  );
}

/**
 * F with F^T F = S, for a positive semi-definite S: [rank, dims], row-major. Takes the greatest remaining variance first
 * and stops when what remains is rounding, so a singular S just gives fewer rows.
 */
function pivotedCholesky(matrix: Float64Array, dims: number): Float64Array {
  const remaining = Float64Array.from({ length: dims }, (_, d) => matrix[d * dims + d]!);
  const negligible = Math.max(...remaining) * dims * Number.EPSILON;
  // Earlier rows are subtracted four at a time; the rows after the last are 0 and may be among them.
  const factor = new Float64Array((dims + 3) * dims);
  let rank = 0;
  for (; rank < dims; rank++) {
    const variance = Math.max(...remaining);
    if (variance <= negligible) break;
    const pivot = remaining.indexOf(variance);
    const row = matrix.slice(pivot * dims, (pivot + 1) * dims);
    for (let r = 0; r < rank; r += 4) subtractRows(row, factor, r * dims, pivot);
    const deviation = Math.sqrt(variance);
    for (let d = 0; d < dims; d++) {
      const value = row[d]! / deviation;
      factor[rank * dims + d] = value;
      remaining[d]! -= value ** 2;
    }
    remaining[pivot] = 0;
  }
  return factor.slice(0, rank * dims);
}

/** Takes from `row` the four rows of `factor` that start at `from`, each times its own number at `pivot`. */
function subtractRows(row: Float64Array, factor: Float64Array, from: number, pivot: number): void {
  const dims = row.length;
  const [at0, at1, at2, at3] = [from, from + dims, from + 2 * dims, from + 3 * dims];
  const [w0, w1, w2, w3] = [factor[at0 + pivot]!, factor[at1 + pivot]!, factor[at2 + pivot]!, factor[at3 + pivot]!];
  for (let d = 0; d < dims; d++) {
    row[d]! -= w0 * factor[at0 + d]! + w1 * factor[at1 + d]! + w2 * factor[at2 + d]! + w3 * factor[at3 + d]!;
  }
}

function trace(matrix: Float64Array, dims: number): number {
  let sum = 0;
  for (let d = 0; d < dims; d++) sum += matrix[d * dims + d]!;
  return sum;
}
