/**
 * Mean and covariance of feature vectors, gathered batch by batch in float64: what the Frechet distance compares.
 * The divisor is N - 1, as in pytorch-fid (`numpy.cov`).
 */
import type { TensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { addTimesTransposed } from './matrix.ts';

export interface FeatureStatistics {
  /** Number of feature vectors. */
  count: number;
  /** [D]. */
  mean: Float64Array;
  /** [D, D], row-major, symmetric. */
  covariance: Float64Array;
}

/** Takes features in any number of batches; how they are cut matters only in the last bits. */
export class FeatureAccumulator {
  #count = 0;
  /** The first batch's mean. Sums are taken about it, so that features far from 0 lose no digits. */
  #pivot: Float64Array | undefined;
  #sum = new Float64Array();
  /** Sum of products of two features about the pivot: the lower triangle of [D, D]. */
  #products = new Float64Array();

  /** Adds [N, D] features. Throws where D changes (plain error) or a number is NaN or Inf (`UserError`). */
  add({ shape, data }: TensorData): void {
    const [n, dims] = shape;
    if (shape.length !== 2 || !n || !dims) throw new Error(`features must be [N, D], got [${shape.join(', ')}]`);
    if (!data.every(Number.isFinite)) {
      throw new UserError(
        'numeric',
        `Features ${this.#count} to ${this.#count + n - 1} hold NaN or Inf.`,
        'The pictures or the feature network are broken; look at the pictures first.',
      );
    }
    this.#pivot ??= this.#start(data, n, dims);
    if (dims !== this.#pivot.length) throw new Error(`features of ${dims} numbers after ${this.#pivot.length}`);

    // Feature after feature, each a contiguous row over the batch.
    const centred = new Float64Array(dims * n);
    for (let d = 0; d < dims; d++) {
      for (let i = 0; i < n; i++) {
        const value = data[i * dims + d]! - this.#pivot[d]!;
        centred[d * n + i] = value;
        this.#sum[d]! += value;
      }
    }
    addTimesTransposed(centred, centred, n, this.#products, { lowerOnly: true });
    this.#count += n;
  }

  /** What was added so far; at least two vectors are needed. */
  statistics(): FeatureStatistics {
    const [count, pivot, sum, products] = [this.#count, this.#pivot, this.#sum, this.#products];
    if (!pivot || count < 2) {
      throw new UserError('data', `Feature statistics need at least 2 pictures, got ${count}.`, 'Take more pictures.');
    }
    const dims = pivot.length;
    const covariance = new Float64Array(dims * dims);
    for (let i = 0; i < dims; i++) {
      for (let j = 0; j <= i; j++) {
        const value = (products[i * dims + j]! - (sum[i]! * sum[j]!) / count) / (count - 1);
        covariance[i * dims + j] = value;
        covariance[j * dims + i] = value;
      }
    }
    return { count, mean: pivot.map((value, d) => value + sum[d]! / count), covariance };
  }

  #start(data: Float32Array, n: number, dims: number): Float64Array {
    this.#sum = new Float64Array(dims);
    this.#products = new Float64Array(dims * dims);
    const pivot = new Float64Array(dims);
    for (let k = 0; k < n * dims; k++) pivot[k % dims]! += data[k]! / n;
    return pivot;
  }
}

/** The statistics of one array of features, [N, D] with N >= 2. */
export function featureStatistics(features: TensorData): FeatureStatistics {
  const accumulator = new FeatureAccumulator();
  accumulator.add(features);
  return accumulator.statistics();
}
