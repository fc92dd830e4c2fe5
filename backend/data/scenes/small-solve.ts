/** Least squares with a handful of unknowns, by normal equations: all the checker's fits need. */

/**
 * Solves A x = b for symmetric positive definite A (n x n, row-major) by Cholesky, several right sides at once.
 * @param b n x m, row-major; becomes the solution
 * @returns false when A is not positive definite (the unknowns cannot be told apart); b is then spoilt
 */
export function solveSymmetric(a: Float64Array, b: Float64Array, n: number): boolean {
  const m = b.length / n;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      if (i !== j) a[i * n + j] = sum / a[j * n + j]!;
      else if (sum > 1e-12) a[i * n + i] = Math.sqrt(sum);
      else return false;
    }
  }
  for (let c = 0; c < m; c++) {
    for (let i = 0; i < n; i++) {
      let sum = b[i * m + c]!;
      for (let k = 0; k < i; k++) sum -= a[i * n + k]! * b[k * m + c]!;
      b[i * m + c] = sum / a[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i * m + c]!;
      for (let k = i + 1; k < n; k++) sum -= a[k * n + i]! * b[k * m + c]!;
      b[i * m + c] = sum / a[i * n + i]!;
    }
  }
  return true;
}

/**
 * The coefficients that bring sum_k x_k basis_k nearest to each target.
 * @param basis n columns of equal length
 * @param targets m columns of that length
 * @returns n x m coefficients, or undefined when the columns of the basis are not independent
 */
export function leastSquares(basis: readonly ArrayLike<number>[], targets: readonly ArrayLike<number>[]) {
  const n = basis.length;
  const a = new Float64Array(n * n);
  const b = new Float64Array(n * targets.length);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) a[i * n + j] = dot(basis[i]!, basis[j]!);
    for (let c = 0; c < targets.length; c++) b[i * targets.length + c] = dot(basis[i]!, targets[c]!);
  }
  return solveSymmetric(a, b, n) ? b : undefined;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
