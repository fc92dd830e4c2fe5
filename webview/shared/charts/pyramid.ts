/**
 * Least and greatest value of any range of a growing list, without looking at every number in it: level k holds both for
 * every 8^k values in a row. Numbers that are not finite have no place in an order and are left out.
 */
const bits = 3;
const mask = (1 << bits) - 1;

export interface Extent {
  /** Infinity and -Infinity when there is nothing finite. */
  min: number;
  max: number;
}

interface Level {
  min: Float64Array;
  max: Float64Array;
}

export class Pyramid {
  #levels: Level[] = [];
  #length = 0;

  /** Takes up values[length...count), where `length` is how many it has. */
  extend(values: Float64Array, count: number): void {
    let from = this.#length;
    this.#length = count;
    let below: Level = { min: values, max: values };
    let belowCount = count;
    for (let k = 0; belowCount > 1; k++) {
      const size = (belowCount + mask) >> bits;
      const level = this.#level(k, size);
      from >>= bits;
      for (let bucket = from; bucket < size; bucket++) {
        const extent = scan(below, bucket << bits, Math.min(belowCount, (bucket + 1) << bits));
        level.min[bucket] = extent.min;
        level.max[bucket] = extent.max;
      }
      below = level;
      belowCount = size;
    }
  }

  /** Forgets all values from index `count` on. */
  truncate(values: Float64Array, count: number): void {
    // The bucket that holds the last value is made again, from what is left of it.
    this.#length = Math.max(0, count - 1);
    this.extend(values, count);
  }

  /** Over values[from...to). */
  extent(values: Float64Array, from: number, to: number): Extent {
    const found = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
    let level: Level = { min: values, max: values };
    let [a, b] = [from, to];
    for (let k = 0; a < b; k++) {
      while (a < b && (a & mask) !== 0) take(found, level, a++);
      while (a < b && (b & mask) !== 0) take(found, level, --b);
      a >>= bits;
      b >>= bits;
      if (a < b) level = this.#levels[k]!;
    }
    return found;
  }

  #level(k: number, size: number): Level {
    const level = this.#levels[k];
    if (level && level.min.length >= size) return level;
    const grown = { min: new Float64Array(roomFor(size)), max: new Float64Array(roomFor(size)) };
    if (level) {
      grown.min.set(level.min);
      grown.max.set(level.max);
    }
    this.#levels[k] = grown;
    return grown;
  }
}

/** Half as much again as is needed, so that a list that grows by one is not copied every time. */
export function roomFor(count: number): number {
  return Math.max(64, Math.ceil(count * 1.5));
}

function scan(level: Level, from: number, to: number): Extent {
  const found = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  for (let i = from; i < to; i++) take(found, level, i);
  return found;
}

function take(found: Extent, { min, max }: Level, i: number): void {
  const low = min[i]!;
  const high = max[i]!;
  // Comparisons with NaN are false. Infinities mark empty buckets above, and at the bottom are values to leave out.
  if (low < found.min && low !== Number.NEGATIVE_INFINITY) found.min = low;
  if (high > found.max && high !== Number.POSITIVE_INFINITY) found.max = high;
}
