/**
 * Attention in as few parts as memory allows. The tables [heads, queries, keys] are what is large: with 4096 tokens 64 MB for a
 * head. So heads are taken as many at a time as the device has memory for, and of a single head that is too large, queries.
 */
import type { LoweringCapabilities } from '../capabilities.ts';
import type { OnnxWriter } from '../writer.ts';

/** Tables that exist together: scores and weights; weights, their gradient and that of the scores. */
export const [forwardTables, backwardTables] = [2, 3];

export interface TableSize {
  /** Batch times heads. */
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
}

/** A value [heads, ...] and its axis of queries; null where it has none. */
export type Cut = readonly [value: string, queryAxis: number | null];

/** Whether so many tables of all heads fit into memory together. */
export function fits({ heads, queries }: TableSize, portion: TableSize): boolean {
  return portion.heads >= heads && portion.queries >= queries;
}

/** What may be computed at a time when `tables` tables exist together. */
export function portionOf(can: LoweringCapabilities, { heads, queries, keys }: TableSize, tables: number): TableSize {
  const rows = Math.floor(Math.min(can.attentionBytes / tables, can.largestBuffer) / (4 * keys));
  if (rows < queries) return { heads: 1, queries: Math.max(1, rows), keys };
  return { heads: Math.min(heads, Math.floor(rows / queries)), queries, keys };
}

/**
 * Computes part by part and joins what the parts give: along heads (axis 0) and along each result's axis of queries; results
 * without one are summed over queries. `compute` gets the values cut to a part, and the part's first query and the one after its last.
 */
export function inParts(
  writer: OnnxWriter,
  size: TableSize,
  tables: number,
  values: readonly Cut[],
  resultAxes: readonly (number | null)[],
  compute: (values: string[], queries: [number, number]) => string[],
): string[] {
  const portion = portionOf(writer.can, size, tables);
  const headSizes = evenly(size.heads, portion.heads);
  const querySizes = evenly(size.queries, portion.queries);
  const byHead = values.map(([value]) => writer.cut(value, 0, headSizes));
  const results = headSizes.map((_, head) => {
    const byQuery = values.map(([, axis], i) => {
      const value = byHead[i][head];
      return axis === null ? querySizes.map(() => value) : writer.cut(value, axis, querySizes);
    });
    let first = 0;
    const parts = querySizes.map((count, query) => {
      const range: [number, number] = [first, first + count];
      first += count;
      return compute(
        byQuery.map((pieces) => pieces[query]),
        range,
      );
    });
    return joined(parts, (pieces, i) => {
      const axis = resultAxes[i];
      if (axis === null) return pieces.reduce((sum, piece) => writer.op('Add', [sum, piece]));
      return writer.op('Concat', pieces, { axis });
    });
  });
  return joined(results, (pieces) => writer.op('Concat', pieces, { axis: 0 }));
}

/** Result i of every part, joined. */
function joined(parts: string[][], join: (pieces: string[], i: number) => string): string[] {
  const [first] = parts;
  if (parts.length === 1) return first;
  return first.map((_, i) =>
    join(
      parts.map((part) => part[i]),
      i,
    ),
  );
}

/** `length` as a sum of as few numbers as possible, none above `most` and none more than one above another. */
function evenly(length: number, most: number): number[] {
  const count = Math.ceil(length / most);
  return Array.from(
    { length: count },
    (_, i) => Math.floor(((i + 1) * length) / count) - Math.floor((i * length) / count),
  );
}
