/**
 * What a person asks of one tensor of a file, whatever its size: statistics, a histogram, and the numbers of a picture. Reads in
 * slices; each of the functions ends with the signal's reason once it is aborted.
 */
import { sizeOf } from '../graph/tensor-data.ts';
import type { Cut } from '../protocol/values/value.ts';
import { type StoredArrays, storedSlices } from './array-source.ts';

/** As `statisticNames` of the protocol: count, min, mean, max and std of finite numbers; how many are NaN, +Inf, -Inf, 0. */
export async function statisticsOf(stored: StoredArrays, name: string, signal?: AbortSignal): Promise<Float64Array> {
  let [count, min, max, sum, nan, above, below, zero] = [
    0,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    0,
    0,
    0,
    0,
  ];
  // The sum of squares is taken around a number of the tensor, so that a large mean with a small spread keeps its digits.
  let [around, aroundSum, squares] = [Number.NaN, 0, 0];
  for await (const slice of storedSlices(stored, name)) {
    signal?.throwIfAborted();
    for (const value of slice) {
      count++;
      if (!Number.isFinite(value)) {
        if (value > 0) above++;
        else if (value < 0) below++;
        else nan++;
        continue;
      }
      if (value === 0) zero++;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
      if (Number.isNaN(around)) around = value;
      const offset = value - around;
      aroundSum += offset;
      squares += offset * offset;
    }
  }
  const finite = count - nan - above - below;
  if (finite === 0) min = max = Number.NaN;
  const meanOffset = aroundSum / finite;
  const std = Math.sqrt(Math.max(0, squares / finite - meanOffset * meanOffset));
  return Float64Array.of(count, min, sum / finite, max, std, nan, above, below, zero);
}

/** How many numbers lie in each of `bins` equal parts of low..high; the last part includes high. */
export async function histogramOf(
  stored: StoredArrays,
  name: string,
  { low, high, bins }: { readonly low: number; readonly high: number; readonly bins: number },
  signal?: AbortSignal,
): Promise<Float64Array> {
  const counts = new Float64Array(bins);
  const scale = high > low ? bins / (high - low) : 0;
  for await (const slice of storedSlices(stored, name)) {
    signal?.throwIfAborted();
    for (const value of slice) {
      if (value >= low && value <= high) counts[Math.min(bins - 1, Math.floor((value - low) * scale))]!++;
    }
  }
  return counts;
}

/** Numbers that are read together: 4 MB. */
const block = 2 ** 20;

/**
 * The numbers of a cut in its order. Reads only the parts of the tensor in which some of them lie.
 * @param shape with as many numbers as the tensor; `cut` fits it (`fitsShape`)
 */
export async function cutOf(
  stored: StoredArrays,
  name: string,
  shape: readonly number[],
  cut: Cut,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const places = placesOf(shape, cut);
  const blocks = new Map<number, number[]>();
  places.forEach((place, i) => {
    const at = Math.floor(place / block);
    const known = blocks.get(at);
    if (known) known.push(i);
    else blocks.set(at, [i]);
  });
  const numbers = new Float32Array(places.length);
  for (const wanted of blocks.values()) {
    signal?.throwIfAborted();
    let [first, last] = [Number.POSITIVE_INFINITY, 0];
    for (const i of wanted) {
      first = Math.min(first, places[i]!);
      last = Math.max(last, places[i]!);
    }
    const read = await stored.read(name, first, last + 1);
    for (const i of wanted) numbers[i] = read[places[i]! - first]!;
  }
  return numbers;
}

/** Whether a cut says something about each axis, and only indices that are there. */
export function fitsShape(shape: readonly number[], { at, step, order }: Cut): boolean {
  if (at.length !== shape.length || step.length !== shape.length || new Set(order).size < order.length) return false;
  if (order.some((axis) => axis >= shape.length)) return false;
  return shape.every((size, axis) => {
    const index = at[axis]!;
    return order.includes(axis) ? index === null : index !== null && index < size;
  });
}

/** Where in the tensor each number of the cut lies. */
function placesOf(shape: readonly number[], { at, step, order }: Cut): Float64Array {
  const stride = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const start = at.reduce<number>((sum, index, axis) => sum + (index ?? 0) * stride[axis]!, 0);
  let places = Float64Array.of(start);
  for (const axis of order) {
    const length = Math.ceil(shape[axis]! / step[axis]!);
    const next = new Float64Array(places.length * length);
    for (let i = 0; i < places.length; i++) {
      for (let k = 0; k < length; k++) next[i * length + k] = places[i]! + k * step[axis]! * stride[axis]!;
    }
    places = next;
  }
  return places;
}
