/**
 * A sum of equally likely isotropic Gaussians in closed form: its density and its score, the gradient of the density's logarithm. With
 * variance std^2 + sigma^2 around a mixture's modes they are those of the mixture after noise sigma, with sigma^2 around samples those
 * of the samples after noise (arXiv 2311.18828, Figure 4).
 */

/** Centres and points are flat [count, 2]. */
type Points = ArrayLike<number>;

/** Part of the plane in columns and rows of cells; what is known of a cell is known in its middle. */
export interface Cells {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
}

export const middleX = ({ left, right, columns }: Cells, column: number) =>
  left + ((column + 0.5) / columns) * (right - left);
export const middleY = ({ bottom, top, rows }: Cells, row: number) => top - ((row + 0.5) / rows) * (top - bottom);

/** The middles, row by row from the top left, flat [rows * columns, 2]. */
export function middles(cells: Cells): Float32Array {
  const { columns, rows } = cells;
  const points = new Float32Array(2 * columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      points[2 * (row * columns + column)] = middleX(cells, column);
      points[2 * (row * columns + column) + 1] = middleY(cells, row);
    }
  }
  return points;
}

/** Of each centre, where a single number stands for all of them. */
type Variances = number | ArrayLike<number>;

const variancesOf = (variances: Variances, count: number): ArrayLike<number> =>
  typeof variances === 'number' ? new Float64Array(count).fill(variances) : variances;

/** At every point, flat [count, 2]. Far from all centres too, where the density itself is 0 in floating point. */
export function scoreAt(points: Points, centres: Points, variances: Variances): Float32Array {
  const scores = new Float32Array(points.length);
  const count = centres.length / 2;
  const variance = variancesOf(variances, count);
  const logs = Float64Array.from({ length: count }, (_, k) => -Math.log(variance[k]!));
  const likely = new Float64Array(count);
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i]!, points[i + 1]!];
    let most = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      const square = (centres[2 * k]! - x) ** 2 + (centres[2 * k + 1]! - y) ** 2;
      likely[k] = logs[k]! - square / (2 * variance[k]!);
      if (likely[k]! > most) most = likely[k]!;
    }
    let [sum, sumX, sumY] = [0, 0, 0];
    for (let k = 0; k < count; k++) {
      const part = Math.exp(likely[k]! - most);
      sum += part;
      sumX += (part / variance[k]!) * (centres[2 * k]! - x);
      sumY += (part / variance[k]!) * (centres[2 * k + 1]! - y);
    }
    scores[i] = sumX / sum;
    scores[i + 1] = sumY / sum;
  }
  return scores;
}

/** In every cell, [rows, columns]. A Gaussian of the plane is the product of two of the line, which are few. */
export function densityIn(cells: Cells, centres: Points, variances: Variances): Float32Array {
  const { columns, rows } = cells;
  const sums = new Float64Array(columns * rows);
  const count = centres.length / 2;
  const across = new Float64Array(columns);
  const all = variancesOf(variances, count);
  for (let k = 0; k < count; k++) {
    const variance = all[k]!;
    const share = 1 / (count * 2 * Math.PI * variance);
    for (let column = 0; column < columns; column++) {
      across[column] = Math.exp(-((middleX(cells, column) - centres[2 * k]!) ** 2) / (2 * variance));
    }
    for (let row = 0; row < rows; row++) {
      const down = share * Math.exp(-((middleY(cells, row) - centres[2 * k + 1]!) ** 2) / (2 * variance));
      if (down < 1e-12 * share) continue;
      const at = row * columns;
      for (let column = 0; column < columns; column++) sums[at + column] += down * across[column]!;
    }
  }
  return Float32Array.from(sums);
}
