/**
 * What the person changed in the form and the host has not heard of yet: it stays when the host changes the form in that very
 * moment, such as when another model is chosen for it elsewhere while a prompt is being typed.
 */
import { type Form, sameValue } from '../../backend/protocol/panels/generate-form.ts';

/** As many changes can be on their way. */
const most = 100;

export class Unheard {
  /** The form after each change, by the change's number. */
  readonly #forms = new Map<number, Form>();
  #last = 0;

  /** The person changed it. Returns the change's number, which the host says back. */
  changed(form: Form): number {
    this.#forms.set(++this.#last, form);
    this.#forms.delete(this.#last - most);
    return this.#last;
  }

  /** The form that the host gives after it heard of change `heard` (of an earlier page's, where there were fewer), with what was changed since. */
  over(form: Form, heard: number): Form {
    const [before, now] = [this.#forms.get(heard > this.#last ? 0 : heard), this.#forms.get(this.#last)];
    const since =
      before && now ? Object.entries(now).filter(([key, value]) => !sameValue(value, before[key as keyof Form])) : [];
    const both = { ...form, ...Object.fromEntries(since) };
    this.#forms.set(this.#last, both);
    return both;
  }
}
