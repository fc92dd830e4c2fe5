/**
 * How a graph over a batch may be computed in equal parts, side by side: each thread takes samples of its own and works alone, in place
 * of all threads meeting at every operator, of which some use one thread only.
 */
import type { Graph, Shape } from '../graph/graph.ts';
import { sizeOf } from '../graph/tensor-data.ts';

/**
 * No sample may have a part in what is computed of another. Inputs and outputs whose first axis is shorter in a part's graph are divided
 * along it; an input of the same shape is fed to every part, and an output of the same shape must be a mean over the batch.
 */
export interface Sharing {
  /** The graph for one of `of` parts. */
  part(of: number): Graph;
  /** Samples of each kind: first axes have those of one kind, or of all kinds one after the other. Every part takes its share of each. */
  readonly rows: readonly number[];
}

/** What a graph over a batch is made from. */
interface Batches {
  /** Samples of the graph. */
  readonly batch: number;
  /** Pairs after them, where there are any. */
  readonly regression?: { readonly batch: number } | null;
}

/**
 * A graph, and how it is computed in parts.
 * @param graph of samples that have no part in each other, with means over them (`Sharing`)
 */
export function inParts<Shape extends Batches>(
  shape: Shape,
  graph: (shape: Shape) => Graph,
): { readonly graph: Graph; readonly sharing: Sharing } {
  const { batch, regression } = shape;
  const partOf = (of: number): Shape => ({
    ...{ ...shape, batch: batch / of },
    ...(regression ? { regression: { ...regression, batch: regression.batch / of } } : {}),
  });
  return {
    graph: graph(shape),
    sharing: { rows: regression ? [batch, regression.batch] : [batch], part: (of) => graph(partOf(of)) },
  };
}

/** A program's inputs or outputs, whole and of one part. */
export interface Shared {
  readonly whole: ReadonlyMap<string, { readonly shape: Shape }>;
  readonly part: ReadonlyMap<string, { readonly shape: Shape }>;
}

/** The most parts that come out even; 1: it cannot be shared out. */
export function partsOf({ rows }: Pick<Sharing, 'rows'>, most: number): number {
  for (let of = most; of > 1; of--) if (rows.every((count) => count % of === 0)) return of;
  return 1;
}

/** Whether every part has samples of its own of this input or output. */
export const isDivided = (name: string, { whole, part }: Shared): boolean =>
  whole.get(name)!.shape[0] !== part.get(name)!.shape[0];

/** Where part `k` of `of` lies among the numbers of a tensor of that shape: [from, to) in order. Throws for rows that are none of `rows`. */
export function spansOf(shape: readonly number[], rows: readonly number[], k: number, of: number): [number, number][] {
  const [length = 1, ...row] = shape;
  const kinds =
    rows.reduce((sum, count) => sum + count, 0) === length
      ? rows
      : rows.filter((count) => count === length).slice(0, 1);
  if (kinds.length === 0) throw new Error(`[${shape}] has neither all rows nor one kind's of [${rows}]`);
  const numbers = sizeOf(row);
  let begin = 0;
  return kinds.map((count) => {
    const share = count / of;
    const from = begin + k * share;
    begin += count;
    return [from * numbers, (from + share) * numbers];
  });
}

type Numbers = Float32Array | Uint16Array;

/** The numbers of those spans, one after the other. */
export function takeSpans<T extends Numbers>(numbers: T, spans: readonly (readonly [number, number])[]): T {
  const taken = new (numbers.constructor as new (count: number) => T)(
    spans.reduce((sum, [from, to]) => sum + to - from, 0),
  );
  let at = 0;
  for (const [from, to] of spans) {
    taken.set(numbers.subarray(from, to), at);
    at += to - from;
  }
  return taken;
}

/** Puts them back there. */
export function putSpans(part: Numbers, spans: readonly (readonly [number, number])[], whole: Numbers): void {
  let at = 0;
  for (const [from, to] of spans) {
    whole.set(part.subarray(at, at + to - from), from);
    at += to - from;
  }
}

/** Makes the first of several arrays their mean. */
export function meanInto([first, ...others]: readonly [Float32Array, ...Float32Array[]]): void {
  const share = 1 / (1 + others.length);
  if (others.length === 1) {
    const [second] = others;
    for (let i = 0; i < first.length; i++) first[i] = share * (first[i]! + second![i]!);
    return;
  }
  for (let i = 0; i < first.length; i++) {
    let sum = first[i]!;
    for (const other of others) sum += other[i]!;
    first[i] = share * sum;
  }
}
