/**
 * Where the colours of a signed field end: one scale for all steps, so that two of them can be compared. It is the greatest
 * of the steps seen so far, each without its most extreme half percent; or what the person fixed.
 */
import { robustMax } from '../../shared/heatmaps/robust-max.ts';
import type { FieldSet, SignedField } from './fields.ts';

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
