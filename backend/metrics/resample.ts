/**
 * Resizing pictures as the programs do whose numbers ours are compared with: each has a way of its own, and the distances
 * differ by more than the methods they compare (Parmar et al. 2021, arXiv 2104.11222). Rows and columns are filtered one
 * after the other, on the host, with sums in float64.
 */
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';

/**
 * - `bilinear`: two neighbours, pixel centres at half-integers, the border repeated: PyTorch's `interpolate` with
 *   align_corners false and without antialiasing.
 * - `bilinear-corner`: two neighbours, output i at i * from / to: TensorFlow 1's `resize_bilinear`.
 * - `bicubic`: Pillow's BICUBIC (a = -0.5), widened where the picture shrinks, which is its antialiasing.
 */
export type Filter = 'bilinear' | 'bilinear-corner' | 'bicubic';

export interface ResampleOptions {
  /** Numbers are 0..255 and stay whole after either pass, in Pillow's fixed-point arithmetic. */
  readonly bytes?: boolean;
}

/** For each output sample, the first input sample it takes and the weights from there on. */
interface Taps {
  readonly first: Int32Array;
  readonly weights: readonly Float64Array[];
}

/** images [..., H, W] -> [..., height, width]. Rows are filtered first, as Pillow does; equal sides are left as they are. */
export function resample(
  images: TensorData,
  height: number,
  width: number,
  filter: Filter,
  { bytes = false }: ResampleOptions = {},
): TensorData {
  const leading = images.shape.slice(0, -2);
  const [oldHeight, oldWidth] = images.shape.slice(-2);
  const planes = sizeOf(leading);
  let { data } = images;
  if (width !== oldWidth) {
    data = filterAxis(
      data,
      tapsOf(oldWidth, width, filter),
      { outer: planes * oldHeight, from: oldWidth, inner: 1 },
      bytes,
    );
  }
  if (height !== oldHeight) {
    data = filterAxis(data, tapsOf(oldHeight, height, filter), { outer: planes, from: oldHeight, inner: width }, bytes);
  }
  return { shape: [...leading, height, width], data };
}

/** Filters the middle axis of [outer, from, inner]. */
function filterAxis(
  data: Float32Array,
  { first, weights }: Taps,
  { outer, from, inner }: { outer: number; from: number; inner: number },
  bytes: boolean,
): Float32Array {
  const to = weights.length;
  const out = new Float32Array(outer * to * inner);
  const own = bytes ? weights.map((row) => row.map(fixedPoint)) : weights;
  const sums = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      sums.fill(0);
      let at = (o * from + first[i]!) * inner;
      for (const weight of own[i]!) {
        for (let k = 0; k < inner; k++) sums[k]! += weight * data[at++]!;
      }
      out.set(bytes ? sums.map(wholeByte) : sums, (o * to + i) * inner);
    }
  }
  return out;
}

/** Pillow's weights for bytes have 22 binary places; the sums are exact in float64. */
const unit = 2 ** 22;
const fixedPoint = (weight: number) => Math.sign(weight) * Math.floor(Math.abs(weight) * unit + 0.5);
const wholeByte = (sum: number) => Math.min(255, Math.max(0, Math.floor(sum / unit + 0.5)));

function tapsOf(from: number, to: number, filter: Filter): Taps {
  const first = new Int32Array(to);
  const weights: Float64Array[] = [];
  for (let i = 0; i < to; i++) {
    const [start, row] = filter === 'bicubic' ? cubicRow(i, from, to) : linearRow(i, from, to, filter);
    first[i] = start;
    weights.push(row);
  }
  return { first, weights };
}

function linearRow(i: number, from: number, to: number, filter: Filter): [number, Float64Array] {
  const position = filter === 'bilinear' ? Math.max(0, ((i + 0.5) * from) / to - 0.5) : (i * from) / to;
  const low = Math.min(Math.floor(position), from - 1);
  const fraction = position - low;
  return low + 1 < from ? [low, Float64Array.of(1 - fraction, fraction)] : [low, Float64Array.of(1)];
}

/** Keys' cubic over four neighbours, or over as many as `from / to` times that where the picture shrinks; sums to 1. */
function cubicRow(i: number, from: number, to: number): [number, Float64Array] {
  const widening = Math.max(1, from / to);
  const centre = ((i + 0.5) * from) / to;
  const start = Math.max(0, Math.trunc(centre - 2 * widening + 0.5));
  const end = Math.min(from, Math.trunc(centre + 2 * widening + 0.5));
  const row = Float64Array.from({ length: end - start }, (_, k) => cubic((start + k + 0.5 - centre) / widening));
  const total = row.reduce((a, b) => a + b, 0);
  return [start, row.map((weight) => weight / total)];
}

/** Keys 1981 with a = -0.5. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
}
