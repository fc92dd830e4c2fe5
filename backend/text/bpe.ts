/**
 * Byte-pair encoding of one piece of text: its bytes, of which the last carries the mark of a word's end, are merged pair by pair, the
 * pair that comes first in the list of merges before others, the leftmost of equal ones first. O(n log n) in the piece's length,
 * whatever the vocabulary.
 */
import { toByteCharacters } from './bytes.ts';

export const WORD_END = '</w>';

/** Greater than any id: ids are whole numbers that float32 holds exactly. */
export const ID_LIMIT = 2 ** 24;

export interface Merge {
  readonly rank: number;
  /** Id of the merged token. */
  readonly id: number;
}

export interface BytePairs {
  readonly vocabulary: ReadonlyMap<string, number>;
  /** By `pairKey` of two ids. */
  readonly merges: ReadonlyMap<number, Merge>;
  /** Stands for a byte that the vocabulary lacks. */
  readonly unknownId: number;
}

export const pairKey = (left: number, right: number): number => left * ID_LIMIT + right;

/** The token ids of a piece; none for an empty one. */
export function encodePiece(piece: string, { vocabulary, merges, unknownId }: BytePairs): number[] {
  const characters = toByteCharacters(piece);
  const last = characters.length - 1;
  const ids = characters.map(
    (character, i) => vocabulary.get(i === last ? character + WORD_END : character) ?? unknownId,
  );
  return mergeAll(ids, merges);
}

interface Candidate extends Merge {
  /** Index of the left of the two symbols. */
  readonly at: number;
}

/** `ids` is used up. A symbol that was merged into its left neighbour is marked -1 and skipped by the links. */
function mergeAll(ids: number[], merges: ReadonlyMap<number, Merge>): number[] {
  const next = ids.map((_, i) => i + 1);
  const previous = ids.map((_, i) => i - 1);
  const queue: Candidate[] = [];
  const consider = (at: number) => {
    const right = next[at];
    if (right === undefined || right >= ids.length) return;
    const merge = merges.get(pairKey(ids[at]!, ids[right]!));
    if (merge) push(queue, { ...merge, at });
  };
  for (let at = 0; at < ids.length; at++) consider(at);
  for (let best = pop(queue); best; best = pop(queue)) {
    const { at, id } = best;
    const right = next[at]!;
    if (ids[at] === -1 || right >= ids.length || merges.get(pairKey(ids[at]!, ids[right]!))?.id !== id) continue;
    ids[at] = id;
    ids[right] = -1;
    next[at] = next[right]!;
    if (next[at]! < ids.length) previous[next[at]!] = at;
    if (previous[at]! >= 0) consider(previous[at]!);
    consider(at);
  }
  return ids.filter((id) => id !== -1);
}

const before = (a: Candidate, b: Candidate) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at);

/** Puts a candidate into the binary heap. */
function push(heap: Candidate[], candidate: Candidate): void {
  let at = heap.push(candidate) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(candidate, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = candidate;
}

/** Takes the first candidate out of the binary heap. */
function pop(heap: Candidate[]): Candidate | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (!last || heap.length === 0) return first;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}
