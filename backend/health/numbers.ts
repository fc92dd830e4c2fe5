/**
 * A run's recorded numbers as rules see them: one curve per tag, of at most 1024 entries however long the run is. What does not
 * fit is averaged in neighbours, always the same way, so that the run itself and whoever reads its files later judge alike.
 */

/** An average over one or several neighbouring records. */
export interface Entry {
  /** Of the last record in it. */
  readonly step: number;
  /** NaN as soon as one of them was not finite. */
  readonly value: number;
}

export type Curve = readonly Entry[];

const most = 1024;

export class RecordedNumbers {
  readonly #curves = new Map<string, Thinned>();
  #last = 0;

  /** The last step anything was recorded of. */
  get lastStep(): number {
    return this.#last;
  }

  add(step: number, scalars: Readonly<Record<string, number>>): void {
    this.#last = Math.max(this.#last, step);
    for (const [tag, value] of Object.entries(scalars)) {
      let curve = this.#curves.get(tag);
      if (!curve) {
        curve = new Thinned();
        this.#curves.set(tag, curve);
      }
      // As the files have it.
      curve.add(step, Math.fround(value));
    }
  }

  /** Which of these tags were recorded. */
  has(tags: readonly string[]): boolean {
    return tags.some((tag) => this.#curves.has(tag));
  }

  /** In ascending order of steps; [] for a tag that was not recorded. */
  curve(tag: string): Curve {
    return this.#curves.get(tag)?.entries ?? [];
  }
}

/** Numbers that were recorded before, e.g. those of a finished run. @param curves steps ascending */
export function numbersOf(
  curves: Iterable<{ readonly tag: string; readonly steps: ArrayLike<number>; readonly values: ArrayLike<number> }>,
): RecordedNumbers {
  const numbers = new RecordedNumbers();
  for (const { tag, steps, values } of curves) {
    for (let i = 0; i < steps.length; i++) numbers.add(steps[i]!, { [tag]: values[i]! });
  }
  return numbers;
}

class Thinned {
  readonly entries: Entry[] = [];
  /** Records per entry, and in the last one. */
  #per = 1;
  #inLast = 0;

  add(step: number, value: number): void {
    const last = this.entries.at(-1);
    if (last && this.#inLast < this.#per) {
      this.entries[this.entries.length - 1] = { step, value: (last.value * this.#inLast + value) / (this.#inLast + 1) };
      this.#inLast += 1;
      return;
    }
    if (this.entries.length === most) this.#halve();
    this.entries.push({ step, value: Number.isFinite(value) ? value : Number.NaN });
    this.#inLast = 1;
  }

  #halve(): void {
    for (let i = 0; i < most / 2; i++) {
      const [first, second] = [this.entries[2 * i]!, this.entries[2 * i + 1]!];
      this.entries[i] = { step: second.step, value: (first.value + second.value) / 2 };
    }
    this.entries.length = most / 2;
    this.#per *= 2;
  }
}

/** Entries of the last `share` (0..1) of the steps that `last` ends, but at least `least` of them; null where there are fewer. */
export function recent(curve: Curve, last: number, share: number, least: number): Curve | null {
  if (curve.length < least) return null;
  const within = curve.filter(({ step }) => step > last * (1 - share));
  return within.length >= least ? within : curve.slice(-least);
}

/** Of the finite ones; NaN where there are none. */
export function medianOf(curve: Curve): number {
  const values = finite(curve).sort((a, b) => a - b);
  const middle = values.length >> 1;
  if (values.length === 0) return Number.NaN;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}

export function meanOf(curve: Curve): number {
  const values = finite(curve);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const finite = (curve: Curve) => curve.map(({ value }) => value).filter(Number.isFinite);

/** Two curves entry by entry where both have one at a step. */
export function combined(a: Curve, b: Curve, of: (a: number, b: number) => number): Curve {
  const other = new Map(b.map(({ step, value }) => [step, value]));
  return a.flatMap(({ step, value }) => (other.has(step) ? [{ step, value: of(value, other.get(step)!) }] : []));
}
