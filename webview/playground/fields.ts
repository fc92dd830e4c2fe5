/** Labelled controls of the settings. */
import { element } from '../shared/dom.ts';

let made = 0;

/** @param hint said with the control, and shown below it */
export function labelled(label: string, control: HTMLElement, hint = ''): HTMLElement {
  const id = `field-${++made}`;
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
  return element(
    'div',
    { class: 'field' },
    element('label', { for: id }, label),
    control,
    hint ? element('p', { class: 'muted small', id: `${id}-hint` }, hint) : null,
  );
}

export function select<T extends string>(
  options: Readonly<Record<T, string>>,
  chosen: (value: T) => void,
): HTMLSelectElement {
  const made = Object.entries<string>(options).map(([value, text]) => element('option', { value }, text));
  return element(
    'select',
    { onchange: (event: Event) => chosen((event.target as HTMLSelectElement).value as T) },
    ...made,
  );
}

/** A number that a person types; what is none, or beyond its ends, is put back. */
export class NumberInput {
  readonly root: HTMLInputElement;
  #value = 0;

  constructor(name: string, [low, high]: readonly [number, number], changed: (value: number) => void, whole = false) {
    this.root = element('input', {
      ...{ type: 'text', class: 'number', inputmode: 'decimal', 'data-testid': name },
      onchange: () => {
        const value = Number(this.root.value.trim().replace(',', '.'));
        const sound =
          this.root.value.trim() !== '' && value >= low && value <= high && (!whole || Number.isInteger(value));
        if (sound) changed(value);
        else this.root.value = String(this.#value);
      },
    });
  }

  show(value: number): void {
    this.#value = value;
    if (document.activeElement !== this.root) this.root.value = String(value);
  }
}

export interface Choice<T extends string> {
  readonly root: HTMLElement;
  show(value: T): void;
}

/** Radio buttons. */
export function choice<T extends string>(
  name: string,
  legend: string,
  options: Readonly<Record<T, string>>,
  chosen: (value: T) => void,
): Choice<T> {
  const inputs = Object.entries<string>(options).map(([value, text]) => {
    const input = element('input', { type: 'radio', name, value, onchange: () => chosen(value as T) });
    return { value, input, row: element('label', { class: 'option' }, input, text) };
  });
  return {
    root: element('fieldset', {}, element('legend', { class: 'spoken' }, legend), ...inputs.map(({ row }) => row)),
    show(value) {
      for (const one of inputs) one.input.checked = one.value === value;
    },
  };
}
