/**
 * Histograms of event files, kept in memory as far as they fit: what does not makes room by thinning out older steps of every tag, the
 * newest stays. As they are shown: the same bins at every step.
 */
import type { DrawnHistograms } from '../../protocol/rpc/index.ts';
import type { Histogram } from '../../runs/events/histogram.ts';

const mostBytes = 48e6;
/** More steps than a picture has room for. */
const mostSteps = 300;
const mostTags = 500;
const bins = 64;
/** Of the steps' least and greatest values: a wild step does not press all others into one bin. */
const trimmed = 0.02;

export class EventHistograms {
  readonly #tags = new Map<string, Map<number, Histogram>>();
  #bytes = 0;

  /** Sorted. */
  tags(): string[] {
    return [...this.#tags].flatMap(([tag, steps]) => (steps.size > 0 ? [tag] : [])).sort();
  }

  add(tag: string, step: number, histogram: Histogram): void {
    if (!isSound(histogram) || (!this.#tags.has(tag) && this.#tags.size === mostTags)) return;
    const steps = this.#tags.get(tag) ?? new Map<number, Histogram>();
    this.#tags.set(tag, steps);
    this.#bytes += bytesOf(histogram) - bytesOf(steps.get(step));
    steps.set(step, histogram);
    if (steps.size > mostSteps) this.#thin(steps);
    while (this.#bytes > mostBytes) {
      const before = this.#bytes;
      for (const some of this.#tags.values()) this.#thin(some);
      if (this.#bytes === before) return;
    }
  }

  dropFrom(step: number): void {
    for (const steps of this.#tags.values()) for (const at of steps.keys()) if (at >= step) this.#drop(steps, at);
  }

  /** Empty for a tag that is not there. */
  drawn(tag: string): DrawnHistograms {
    const steps = [...(this.#tags.get(tag) ?? [])].sort(([a], [b]) => a - b);
    const all = steps.map(([, histogram]) => histogram);
    const low = quantile(
      all.map(({ min }) => min),
      trimmed,
    );
    const high = quantile(
      all.map(({ max }) => max),
      1 - trimmed,
    );
    const counts = new Float32Array(steps.length * bins);
    all.forEach((histogram, i) => {
      share(histogram, low, high, counts.subarray(i * bins, (i + 1) * bins));
    });
    const column = (value: (histogram: Histogram) => number) => Float64Array.from(all, value);
    return {
      ...{ tag, bins, low, high, counts },
      steps: Float64Array.from(steps, ([step]) => step),
      least: column(({ min }) => min),
      mean: column(({ sum, num }) => sum / num),
      greatest: column(({ max }) => max),
    };
  }

  /** Every second step but the newest goes. */
  #thin(steps: Map<number, Histogram>): void {
    const known = [...steps.keys()].sort((a, b) => a - b);
    for (const [i, step] of known.entries()) if ((known.length - 1 - i) % 2 === 1) this.#drop(steps, step);
  }

  #drop(steps: Map<number, Histogram>, step: number): void {
    this.#bytes -= bytesOf(steps.get(step));
    steps.delete(step);
  }
}

function bytesOf(histogram: Histogram | undefined): number {
  return histogram ? 16 * histogram.bucket.length + 64 : 0;
}

/** Of values that are numbers, with a bucket for every limit. */
function isSound({ min, max, num, bucket, bucketLimit }: Histogram): boolean {
  return Number.isFinite(min) && Number.isFinite(max) && min <= max && num > 0 && bucket.length === bucketLimit.length;
}

/** Puts what is in the buckets into bins of equal width, in proportion to how far they overlap; what lies outside into the outermost. */
function share({ min, max, bucket, bucketLimit }: Histogram, low: number, high: number, into: Float32Array): void {
  const width = (high - low) / into.length || 1;
  const binOf = (value: number) => Math.min(into.length - 1, Math.max(0, Math.floor((value - low) / width)));
  let left = min;
  bucket.forEach((count, i) => {
    const right = Math.min(max, Math.max(left, bucketLimit[i]!));
    if (count > 0) {
      const [first, last] = [binOf(left), binOf(right)];
      for (let bin = first; bin <= last; bin++) {
        const from = bin === first ? left : low + bin * width;
        const to = bin === last ? right : low + (bin + 1) * width;
        into[bin]! += first === last ? count : (count * (to - from)) / (right - left);
      }
    }
    left = right;
  });
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))] ?? 0;
}
