/** Tensors in expressions: slices, broadcasting as NumPy has it, and what is computed number by number. */
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { wrong } from './tokens.ts';

/** A single number, or a tensor. True is 1, false 0. */
export type Computed = number | TensorData;

/** A result has at most so many numbers: 64 MiB. */
export const mostNumbers = 2 ** 24;

/** An index along an axis: a place, counted from the end where negative, or a range. */
export type Place = number | { readonly from: number | null; readonly to: number | null };

export const isTensor = (value: Computed): value is TensorData => typeof value === 'object';

/** The part at `places`, a copy; a number where one number is left. Throws UserError for places that are not there. */
export function sliced(tensor: TensorData, places: readonly Place[], at: number): Computed {
  const { shape, data } = tensor;
  const found = rangesOf(shape, places, at);
  const kept = found.filter(({ single }) => !single).map(({ from, to }) => to - from);
  const out = new Float32Array(limited(sizeOf(kept), at));
  let next = 0;
  eachRow(shape, found, (start, length) => {
    out.set(data.subarray(start, start + length), next);
    next += length;
  });
  return kept.length === 0 ? out[0]! : { shape: kept, data: out };
}

/** Puts `value` there, broadcast; the tensor's own numbers are changed. */
export function assigned(tensor: TensorData, places: readonly Place[], value: Computed, at: number): void {
  const { shape, data } = tensor;
  const found = rangesOf(shape, places, at);
  const kept = found.filter(({ single }) => !single).map(({ from, to }) => to - from);
  const from = isTensor(value) ? broadcast(value, kept, at) : undefined;
  let next = 0;
  eachRow(shape, found, (start, length) => {
    if (from) data.set(from.subarray(next, next + length), start);
    else data.fill(value as number, start, start + length);
    next += length;
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly single: boolean;
}

function rangesOf(shape: readonly number[], places: readonly Place[], at: number): Range[] {
  if (places.length > shape.length) throw wrong(`${places.length} indices where there are ${shape.length} axes`, at);
  return shape.map((length, axis) => {
    const place = places[axis] ?? { from: null, to: null };
    if (typeof place === 'number') {
      const from = place < 0 ? place + length : place;
      if (!Number.isInteger(place)) throw wrong(`${place} is no whole number, as an index is`, at);
      if (from < 0 || from >= length) throw wrong(`there is no ${place} along an axis of ${length}`, at);
      return { from, to: from + 1, single: true };
    }
    const bound = (value: number) => Math.min(length, Math.max(0, value < 0 ? value + length : value));
    const from = bound(place.from ?? 0);
    return { from, to: Math.max(from, bound(place.to ?? length)), single: false };
  });
}

/** Calls `row` with the runs of neighbouring numbers, in order. */
function eachRow(
  shape: readonly number[],
  found: readonly Range[],
  row: (start: number, length: number) => void,
): void {
  let whole = found.length;
  while (whole > 0 && found[whole - 1]!.from === 0 && found[whole - 1]!.to === shape[whole - 1]!) whole -= 1;
  const each = sizeOf(shape.slice(whole));
  const walk = (axis: number, start: number) => {
    if (axis >= whole) return row(start, each);
    const stride = sizeOf(shape.slice(axis + 1));
    const { from, to } = found[axis]!;
    if (axis === whole - 1) return row(start + from * stride, (to - from) * stride);
    for (let i = from; i < to; i++) walk(axis + 1, start + i * stride);
  };
  if (found.every(({ from, to }) => to > from)) walk(0, 0);
}

/** Number by number, in doubles, rounded to float32 where a tensor comes out. */
export function mapped(operation: (...values: number[]) => number, values: readonly Computed[], at: number): Computed {
  const tensors = values.filter(isTensor);
  if (tensors.length === 0) return operation(...(values as number[]));
  const shape = tensors.map((tensor) => tensor.shape).reduce((a, b) => common(a, b, at));
  const out = new Float32Array(limited(sizeOf(shape), at));
  const columns = values.map((value) => (isTensor(value) ? broadcast(value, shape, at) : value));
  const [first, second] = columns;
  if (columns.length === 1 && typeof first === 'object') {
    for (let i = 0; i < out.length; i++) out[i] = operation(first[i]!);
  } else if (columns.length === 2) {
    for (let i = 0; i < out.length; i++) {
      out[i] = operation(
        typeof first === 'object' ? first[i]! : first!,
        typeof second === 'object' ? second[i]! : second!,
      );
    }
  } else {
    for (let i = 0; i < out.length; i++) {
      out[i] = operation(...columns.map((column) => (typeof column === 'object' ? column[i]! : column)));
    }
  }
  return { shape, data: out };
}

function limited(count: number, at: number): number {
  if (count <= mostNumbers) return count;
  throw wrong(`${count} numbers are more than the ${mostNumbers} that a result may have: take a part, such as [0]`, at);
}

function common(a: readonly number[], b: readonly number[], at: number): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [one, two] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (one !== two && one !== 1 && two !== 1) throw wrong(`[${a}] and [${b}] do not go together`, at);
    return one === 1 ? two : one;
  });
}

/** The numbers in the shape that they are stretched to; the tensor's own where it has that. */
function broadcast({ shape, data }: TensorData, wanted: readonly number[], at: number): Float32Array {
  if (shape.join() === wanted.join()) return data;
  if (common(shape, wanted, at).join() !== wanted.join()) throw wrong(`[${shape}] does not fit [${wanted}]`, at);
  const rank = wanted.length;
  const steps = wanted.map((_, i) => {
    const axis = i - rank + shape.length;
    return axis < 0 || shape[axis] === 1 ? 0 : sizeOf(shape.slice(axis + 1));
  });
  const out = new Float32Array(sizeOf(wanted));
  const place = new Array<number>(rank).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let axis = rank - 1; axis >= 0; axis--) {
      place[axis]! += 1;
      from += steps[axis]!;
      if (place[axis]! < wanted[axis]!) break;
      from -= steps[axis]! * wanted[axis]!;
      place[axis] = 0;
    }
  }
  return out;
}
