/** Dense float64 matrix products for the statistics of a few thousand features, as fast as plain JavaScript allows. */

const ROWS = 4;
const COLS = 2;

/**
 * Adds A B^T to `out`. A is [m, inner], B [n, inner], out [m, n], all row-major, so that every sum runs along rows.
 * With `lowerOnly`, only blocks on or below the diagonal are computed: enough where the result is symmetric.
 */
export function addTimesTransposed(
  a: Float64Array,
  b: Float64Array,
  inner: number,
  out: Float64Array,
  { lowerOnly = false } = {},
): Float64Array {
  const [m, n] = [a.length / inner, b.length / inner];
  const tile = new Float64Array(ROWS * COLS);
  for (let i = 0; i < m; i += ROWS) {
    for (let j = 0; j < n && !(lowerOnly && j >= i + ROWS); j += COLS) {
      multiplyTile(a, b, inner, i, j, m, n, tile);
      for (let r = 0; r < ROWS && i + r < m; r++) {
        for (let c = 0; c < COLS && j + c < n; c++) out[(i + r) * n + j + c]! += tile[r * COLS + c]!;
      }
    }
  }
  return out;
}

/** A B^T. */
export function timesTransposed(a: Float64Array, b: Float64Array, inner: number): Float64Array {
  return addTimesTransposed(a, b, inner, new Float64Array((a.length / inner) * (b.length / inner)));
}

/** Rows i..i+3 of A times rows j..j+1 of B: each number loaded serves several sums. Rows past the end repeat the last. */
function multiplyTile(
  a: Float64Array,
  b: Float64Array,
  inner: number,
  i: number,
  j: number,
  m: number,
  n: number,
  tile: Float64Array,
): void {
  let a0 = i * inner;
  let a1 = Math.min(i + 1, m - 1) * inner;
  let a2 = Math.min(i + 2, m - 1) * inner;
  let a3 = Math.min(i + 3, m - 1) * inner;
  let b0 = j * inner;
  let b1 = Math.min(j + 1, n - 1) * inner;
  let s00 = 0;
  let s01 = 0;
  let s10 = 0;
  let s11 = 0;
  let s20 = 0;
  let s21 = 0;
  let s30 = 0;
  let s31 = 0;
  for (let k = 0; k < inner; k++) {
    const x = b[b0++]!;
    const y = b[b1++]!;
    const p = a[a0++]!;
    s00 += p * x;
    s01 += p * y;
    const q = a[a1++]!;
    s10 += q * x;
    s11 += q * y;
    const u = a[a2++]!;
    s20 += u * x;
    s21 += u * y;
    const v = a[a3++]!;
    s30 += v * x;
    s31 += v * y;
  }
  tile.set([s00, s01, s10, s11, s20, s21, s30, s31]);
}
