/** Calls of a network that takes a fixed number of rows, for any number: one after the other, the last one filled up. */
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';

export type Feeds = Readonly<Record<string, TensorData>>;

/**
 * @param feeds each [rows, ...]; a network's rows do not depend on each other
 * @param rowsPerCall what the network takes
 * @returns the results of all rows, flat
 */
export async function inCalls(
  feeds: Feeds,
  rowsPerCall: number,
  call: (feeds: Feeds) => Promise<Float32Array>,
): Promise<Float32Array> {
  const rows = Object.values(feeds)[0]!.shape[0]!;
  const results: Float32Array[] = [];
  for (let from = 0; from < rows; from += rowsPerCall) {
    const part = Object.entries(feeds).map(([name, feed]) => [name, rowsOf(feed, from, rowsPerCall)] as const);
    const result = await call(Object.fromEntries(part));
    results.push(result.subarray(0, (result.length / rowsPerCall) * Math.min(rowsPerCall, rows - from)));
  }
  const all = new Float32Array(results.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const result of results) {
    all.set(result, offset);
    offset += result.length;
  }
  return all;
}

/** Rows from one on; where they end, the last is repeated. */
function rowsOf({ shape: [rows = 0, ...shape], data }: TensorData, from: number, count: number): TensorData {
  const size = sizeOf(shape);
  const part = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const row = Math.min(from + i, rows - 1);
    part.set(data.subarray(row * size, (row + 1) * size), i * size);
  }
  return { shape: [count, ...shape], data: part };
}
