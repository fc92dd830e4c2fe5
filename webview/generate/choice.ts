/** A labelled list to choose from. Its options are remade only when they are others, so that an open list stays open. */
import { element } from '../shared/dom.ts';

export interface Option {
  readonly value: string;
  readonly label: string;
  readonly disabled?: boolean;
  /** Shown when the pointer rests on it. */
  readonly title?: string;
  /** Options of one group follow each other under its name. */
  readonly group?: string;
}

export class Choice {
  readonly element: HTMLElement;
  readonly #select: HTMLSelectElement;
  #shown = '';

  constructor(id: string, label: string, onChange: () => void) {
    this.#select = element('select', { id, onchange: onChange });
    this.element = element('div', { class: 'field' }, element('label', { for: id }, label), this.#select);
  }

  get value(): string {
    return this.#select.value;
  }

  show(options: readonly Option[], value: string): void {
    const shown = JSON.stringify(options);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#select.replaceChildren(...grouped(options));
    }
    this.#select.value = value;
  }

  visible(shown: boolean): void {
    this.element.hidden = !shown;
  }
}

function grouped(options: readonly Option[]): HTMLElement[] {
  const nodes: HTMLElement[] = [];
  let group: HTMLOptGroupElement | undefined;
  for (const { value, label, disabled, title, group: name } of options) {
    const option = element('option', { value, disabled: disabled ?? false, title: title || undefined }, label);
    if (name === undefined) {
      nodes.push(option);
      continue;
    }
    if (group?.label !== name) {
      group = element('optgroup', { label: name });
      nodes.push(group);
    }
    group.append(option);
  }
  return nodes;
}
