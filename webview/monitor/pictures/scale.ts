/**
 * Where the colours of a signed field end: one scale for all steps, so that two of them can be compared. It is the greatest
 * of the steps seen so far, each without its most extreme half percent; or what the person fixed.
 */
import type { FieldSet, SignedField } from './fields.ts';

const quantile = 0.995;
/** As many numbers as say where a quantile is. */
const sampleSize = 20_000;

export class Scales {
  readonly #seen = new Map<string, number>();

  /** @param group what is to be compared: a run and a kind of fields */
  see(group: string, fields: FieldSet): void {
    for (const name of ['difference', 'grad'] as const) {
      const values = fields.values(name);
      if (!values) continue;
      this.#raise(`${group} ${name}`, robustMax(values));
      if (!fields.perLevel) continue;
      fields.columns(0, 1).forEach((_, level) => {
        this.#raise(`${group} ${name} ${level}`, this.#ofLevel(fields, name, level));
      });
    }
  }

  /** @param level a column of the probe: its own scale instead of one for all */
  end(group: string, name: SignedField, level?: number): number {
    return this.#seen.get(level === undefined ? `${group} ${name}` : `${group} ${name} ${level}`) || 1;
  }

  #ofLevel(fields: FieldSet, name: SignedField, level: number): number {
    const pictures = Array.from({ length: fields.images }, (_, image) =>
      fields.columns(image, 1)[level]?.picture(name),
    );
    return Math.max(0, ...pictures.map((picture) => (picture ? robustMax(picture.data) : 0)));
  }

  #raise(key: string, value: number): void {
    if (value > (this.#seen.get(key) ?? 0)) this.#seen.set(key, value);
  }
}

/** The 99.5 % quantile of the sizes of the finite values; 0 when there are none. */
export function robustMax(values: Float32Array): number {
  const every = Math.max(1, Math.floor(values.length / sampleSize));
  const sizes = new Float32Array(Math.ceil(values.length / every));
  let count = 0;
  for (let i = 0; i < values.length; i += every) {
    const size = Math.abs(values[i]!);
    if (Number.isFinite(size)) sizes[count++] = size;
  }
  if (count === 0) return 0;
  const sorted = sizes.subarray(0, count).sort();
  return sorted[Math.min(count - 1, Math.floor(quantile * count))]!;
}
