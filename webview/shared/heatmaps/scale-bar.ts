/** The colours of one signed picture beside it: zero in the middle, and the ends, which the person may fix. */
import { apply, element, icon } from '../dom.ts';
import { number } from '../format.ts';
import { icons } from '../icons.ts';
import { fill } from '../initial.ts';
import type { ScaleTexts } from './colour-bar.ts';
import { divergingInk } from './colour-map.ts';

export interface ScaleBarOptions {
  readonly texts: ScaleTexts;
  /** What the scale is of. */
  readonly title: string;
  /** The person fixed the end, or with null leaves it to the data. */
  choose(end: number | null): void;
}

export class ScaleBar {
  readonly root: HTMLElement;
  readonly #options: ScaleBarOptions;
  readonly #canvas = element('canvas', { class: 'colours', width: 1, height: 511, 'aria-hidden': 'true' });
  readonly #low = element('span', { class: 'number low' });
  readonly #input: HTMLInputElement;
  readonly #lock: HTMLButtonElement;
  #end = 1;
  #fixed = false;

  constructor(options: ScaleBarOptions) {
    const { texts, title } = options;
    this.#options = options;
    this.#input = element('input', {
      type: 'text',
      class: 'number',
      title: texts.scaleHint,
      'aria-label': fill(texts.scale, title),
      onchange: () => this.#typed(),
    });
    this.#lock = element('button', {
      class: 'plain',
      onclick: () => this.#options.choose(this.#fixed ? null : this.#end),
    });
    const zero = element('span', { class: 'number zero', 'aria-hidden': 'true' }, '0');
    const colours = element('div', { class: 'colours-zero' }, this.#canvas, zero);
    this.root = element('div', { class: 'scale-bar' }, this.#input, colours, this.#low, this.#lock);
  }

  show(end: number, fixed: boolean): void {
    const { texts } = this.#options;
    [this.#end, this.#fixed] = [end, fixed];
    const text = number(end, 3);
    this.#low.textContent = `−${text}`;
    if (document.activeElement !== this.#input) this.#input.value = text;
    const lock = fixed ? texts.scaleUnlock : texts.scaleLock;
    apply(this.#lock, { title: lock, 'aria-label': lock, 'aria-pressed': String(fixed) });
    this.#lock.replaceChildren(icon(fixed ? icons.lock : icons.unlock));
    const image = new ImageData(1, 511);
    new Uint32Array(image.data.buffer).set(divergingInk().toReversed());
    this.#canvas.getContext('2d')!.putImageData(image, 0, 0);
  }

  /** What is no number above zero lets the data decide again. */
  #typed(): void {
    const value = Number(this.#input.value.replace(',', '.'));
    this.#input.blur();
    this.#options.choose(value > 0 && Number.isFinite(value) ? value : null);
  }
}
