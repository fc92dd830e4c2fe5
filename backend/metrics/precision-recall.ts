/**
 * Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991): a set of pictures is a manifold made of a
 * ball around each picture's features, as wide as the distance to its k-th nearest neighbour in the set. Precision is the
 * share of generated pictures within the real ones' balls, recall the share of real ones within the generated ones'.
 * As with the Frechet distance, the numbers mean nothing without the features' name and the number of pictures.
 */
import { type TensorData, tensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { timesTransposed } from './matrix.ts';

export interface PrecisionRecall {
  /** 0..1. */
  readonly precision: number;
  /** 0..1. */
  readonly recall: number;
}

/** A B^T [M, N] of a [M, D] and b [N, D]. A device's product saves hours where there are many pictures and features. */
export type PairProducts = (a: TensorData, b: TensorData) => Promise<ArrayLike<number>>;

export interface PrecisionRecallOptions {
  /** Which neighbour gives the radius; 3 as in the paper. */
  readonly k?: number;
  /** Pictures per side of one block of distances: 8 bytes per pair are held. */
  readonly chunk?: number;
  readonly products?: PairProducts;
}

/**
 * real [N, D] and generated [M, D]. Throws UserError('data') where a set has no k-th neighbour.
 */
export async function precisionRecall(
  real: TensorData,
  generated: TensorData,
  { k = 3, chunk = 1000, products = hostProducts }: PrecisionRecallOptions = {},
): Promise<PrecisionRecall> {
  const centre = meanOf(real);
  const [reals, fakes] = [real, generated].map((features) => new PointSet(features, centre, chunk));
  const within = async (balls: PointSet, points: PointSet) => {
    const radii = await squaredRadii(balls, k, products);
    return share(await covered(points, balls, radii, products));
  };
  return { precision: await within(reals!, fakes!), recall: await within(fakes!, reals!) };
}

/** Features in blocks, taken about one centre so that squared distances lose no digits to a common offset. */
class PointSet {
  readonly count: number;
  readonly blocks: readonly { readonly start: number; readonly points: TensorData; readonly squares: Float64Array }[];

  constructor({ shape, data }: TensorData, centre: Float64Array, chunk: number) {
    const [count, dims] = shape;
    if (shape.length !== 2 || dims !== centre.length) {
      throw new Error(`features must be [N, ${centre.length}], got [${shape.join(', ')}]`);
    }
    this.count = count;
    const starts = Array.from({ length: Math.ceil(count / chunk) }, (_, i) => i * chunk);
    this.blocks = starts.map((start) => {
      const rows = Math.min(chunk, count - start);
      const own = data.slice(start * dims, (start + rows) * dims).map((value, i) => value - centre[i % dims]!);
      const squares = new Float64Array(rows);
      own.forEach((value, i) => {
        squares[Math.floor(i / dims)]! += value * value;
      });
      return { start, points: tensorData([rows, dims], own), squares };
    });
  }
}

type Visit = (row: number, column: number, squaredDistance: number) => void;

/** Every pair of a point of `rows` and one of `columns`, block by block. */
async function eachPair(rows: PointSet, columns: PointSet, products: PairProducts, visit: Visit): Promise<void> {
  for (const a of rows.blocks) {
    for (const b of columns.blocks) {
      const product = await products(a.points, b.points);
      const width = b.squares.length;
      for (let i = 0; i < a.squares.length; i++) {
        for (let j = 0; j < width; j++) {
          visit(a.start + i, b.start + j, a.squares[i]! + b.squares[j]! - 2 * product[i * width + j]!);
        }
      }
    }
  }
}

/** For each point, the squared distance to its k-th nearest other one. */
async function squaredRadii(set: PointSet, k: number, products: PairProducts): Promise<Float64Array> {
  if (set.count <= k) {
    const message = `Precision and recall need more than ${k} pictures on both sides, got ${set.count}.`;
    throw new UserError('data', message, 'Take more pictures.');
  }
  // The k nearest so far of every point, ascending.
  const nearest = new Float64Array(set.count * k).fill(Number.POSITIVE_INFINITY);
  await eachPair(set, set, products, (row, column, squared) => {
    const last = row * k + k - 1;
    if (row === column || !(squared < nearest[last]!)) return;
    let at = last;
    for (; at > row * k && nearest[at - 1]! > squared; at--) nearest[at] = nearest[at - 1]!;
    nearest[at] = squared;
  });
  return Float64Array.from({ length: set.count }, (_, i) => nearest[i * k + k - 1]!);
}

/** 1 for each point that lies in some ball. */
async function covered(points: PointSet, balls: PointSet, radii: Float64Array, products: PairProducts) {
  const inside = new Uint8Array(points.count);
  await eachPair(points, balls, products, (row, column, squared) => {
    if (squared <= radii[column]!) inside[row] = 1;
  });
  return inside;
}

const hostProducts: PairProducts = async (a, b) =>
  timesTransposed(Float64Array.from(a.data), Float64Array.from(b.data), a.shape[1]);

function meanOf({ shape: [count, dims], data }: TensorData): Float64Array {
  const mean = new Float64Array(dims);
  data.forEach((value, i) => {
    mean[i % dims]! += value / count;
  });
  return mean;
}

const share = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
