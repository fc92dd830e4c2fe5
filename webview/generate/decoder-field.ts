/** What makes the pixels of a text model: its own decoder, or one that stands beside it, by its folder. */
import { element } from '../shared/dom.ts';
import { button, textField } from '../shared/toolkit.ts';
import type { Field } from './field.ts';
import type { Texts } from './texts.ts';

const longestPath = 32_768;

export class DecoderField {
  readonly element: HTMLElement;
  readonly #folder: Field;

  /** @param pick asks the person for a folder */
  constructor(text: Texts, changed: () => void, pick: () => void) {
    this.#folder = textField({ id: 'decoder', size: 12, oninput: changed }, text('decoder'));
    this.#folder.setAttribute('placeholder', text('ownDecoder'));
    this.#folder.title = text('decoderHint');
    const browse = button({ appearance: 'secondary', id: 'pick-decoder', onclick: pick }, text('chooseDecoder'));
    this.element = element('div', { class: 'row' }, this.#folder, browse);
  }

  /** '' for the model's own. */
  get value(): string {
    return this.#folder.value.trim().slice(0, longestPath);
  }

  set value(folder: string) {
    this.#folder.value = folder;
  }
}
