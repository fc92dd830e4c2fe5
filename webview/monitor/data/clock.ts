/** Which steps of a run were measured, and when: all of them in few numbers, growing at the end. */
import type { RunClock } from '../../../backend/protocol/rpc/runs.ts';

/** Steps at equal distances. */
interface Stride {
  readonly first: number;
  readonly distance: number;
  count: number;
  /** How many steps lie in the strides before. */
  readonly before: number;
}

export class Clock {
  readonly #strides: Stride[] = [];
  /** Ascending both, so that a step can be told from a time too. */
  readonly #steps: number[] = [];
  readonly #seconds: number[] = [];

  constructor(clock?: Pick<RunClock, 'strides' | 'times'>) {
    if (!clock) return;
    const { strides, times } = clock;
    for (let i = 0; i + 2 < strides.length; i += 3) {
      const [first, distance, count] = strides.subarray(i, i + 3);
      this.#strides.push({ first: first!, distance: distance!, count: count!, before: this.length });
    }
    times.steps.forEach((step, i) => {
      this.#note(step, times.seconds[i]!);
    });
  }

  get length(): number {
    const last = this.#strides.at(-1);
    return last ? last.before + last.count : 0;
  }

  get firstStep(): number {
    return this.#strides[0]?.first ?? Number.NaN;
  }

  get lastStep(): number {
    return this.length > 0 ? this.step(this.length - 1) : Number.NaN;
  }

  /** When the first step was done, in seconds since 1970; NaN before it is. */
  get begun(): number {
    return this.#seconds[0] ?? Number.NaN;
  }

  /** Steps that are later than the last one. */
  append(steps: ArrayLike<number>, seconds: ArrayLike<number>): void {
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (this.length > 0 && !(step > this.lastStep)) continue;
      this.#add(step);
      this.#note(step, seconds[i]!);
    }
  }

  step(index: number): number {
    const { first, distance, before } = this.#strides[lastUpTo(this.#strides, index, ({ before }) => before)]!;
    return first + (index - before) * distance;
  }

  /** Index of the last measured step at this one or before; -1 when there is none. */
  indexUpTo(step: number): number {
    const at = lastUpTo(this.#strides, step, ({ first }) => first);
    if (at < 0) return -1;
    const { first, distance, count, before } = this.#strides[at]!;
    return before + Math.min(count - 1, Math.floor((step - first) / distance));
  }

  /** Index of the first measured step at this one or later; `length` when there is none. */
  indexFrom(step: number): number {
    const index = this.indexUpTo(step);
    return index >= 0 && this.step(index) === step ? index : index + 1;
  }

  /** The measured step that is nearest; NaN before there is one. */
  nearest(step: number): number {
    const index = this.indexUpTo(step);
    if (index < 0) return this.firstStep;
    if (index === this.length - 1) return this.lastStep;
    const [low, high] = [this.step(index), this.step(index + 1)];
    return high - step < step - low ? high : low;
  }

  /** When a step was done: in proportion between those that are known, and beyond them. */
  secondsAt(step: number): number {
    return between(this.#steps, this.#seconds, step);
  }

  /** At which step the run was then; not a whole number. */
  stepAt(seconds: number): number {
    return between(this.#seconds, this.#steps, seconds);
  }

  #add(step: number): void {
    const last = this.#strides.at(-1);
    const distance = step - this.lastStep;
    if (last && last.count === 1) {
      this.#strides.splice(-1, 1, { ...last, distance, count: 2 });
    } else if (last && distance === last.distance) last.count++;
    else this.#strides.push({ first: step, distance: 1, count: 1, before: this.length });
  }

  /** A computer's clock may be set back: no step is earlier than the one before it. */
  #note(step: number, seconds: number): void {
    const least = this.#seconds.at(-1) ?? Number.NEGATIVE_INFINITY;
    this.#steps.push(step);
    this.#seconds.push(seconds > least ? seconds : least + 1e-6);
  }
}

/** Index of the last entry whose key is not above; -1 when there is none. */
function lastUpTo<T>(entries: readonly T[], key: number, keyOf: (entry: T) => number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(entries[middle]!) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Along straight lines through (from[i], to[i]); the outermost ones go on. NaN without points. */
function between(from: readonly number[], to: readonly number[], at: number): number {
  if (from.length < 2) return from.length === 0 ? Number.NaN : to[0]! + (at - from[0]!);
  const low = Math.min(
    from.length - 2,
    Math.max(
      0,
      lastUpTo(from, at, (value) => value),
    ),
  );
  const part = (at - from[low]!) / (from[low + 1]! - from[low]!);
  return to[low]! + part * (to[low + 1]! - to[low]!);
}
