/** The scale of a signed field: its colours, zero in the middle, and its ends, which the person may fix. */
import { apply, element, icon } from '../dom.ts';
import { number } from '../format.ts';
import { icons } from '../icons.ts';
import { fill } from '../initial.ts';
import { divergingTable } from './colour-map.ts';

/** Translated. */
export interface ScaleTexts {
  /** `{0}`: what the scale is of. */
  readonly scale: string;
  readonly scaleHint: string;
  readonly scaleLock: string;
  readonly scaleUnlock: string;
}

export interface ColourBarTexts extends ScaleTexts {
  readonly fitStep: string;
  /** `{0}`: how far what is shown goes. */
  readonly beyondScale: string;
}

/** What is more than this times the end of the scale is said to go beyond it. */
const beyond = 1.1;

export interface ColourBarOptions {
  readonly texts: ColourBarTexts;
  /** What the scale is of. */
  readonly title: string;
  /** For those who look for it on the page. */
  readonly field: string;
  /** What its colours mean, beside them. */
  readonly meaning: string;
  /** The person fixed the end, or with null leaves it to the data. */
  choose(end: number | null): void;
}

export class ColourBar {
  readonly root: HTMLElement;
  readonly #options: ColourBarOptions;
  readonly #canvas = element('canvas', { class: 'colours', width: 511, height: 1, 'aria-hidden': 'true' });
  readonly #low = element('span', { class: 'number' });
  readonly #input: HTMLInputElement;
  readonly #lock: HTMLButtonElement;
  readonly #fit: HTMLButtonElement;
  readonly #beyond = element('p', { class: 'beyond', hidden: true });
  #end = 1;
  #own = 0;
  #fixed = false;

  constructor(options: ColourBarOptions) {
    const { texts, title, field, meaning } = options;
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
    this.#fit = element('button', {
      ...{ class: 'plain fit', title: texts.fitStep, 'aria-label': `${texts.fitStep}: ${title}` },
      onclick: () => this.#options.choose(this.#own),
    });
    this.#fit.append(icon(icons.fit));
    this.root = element(
      'div',
      { class: 'colour-bar', 'data-field': field },
      element('span', { class: 'row-name' }, title),
      element('div', { class: 'scale-line' }, this.#low, this.#canvas, this.#input, this.#fit, this.#lock),
      element('p', { class: 'meaning muted' }, meaning),
      this.#beyond,
    );
  }

  /**
   * @param end null: every picture has its own
   * @param own how far what is shown goes, without its most extreme values
   */
  show(end: number | null, fixed: boolean, own: number): void {
    const { texts } = this.#options;
    this.#fixed = fixed;
    this.#own = own;
    if (end !== null) this.#end = end;
    this.#beyond.hidden = end === null || own <= beyond * end;
    this.#beyond.textContent = this.#beyond.hidden ? '' : fill(texts.beyondScale, number(own, 3));
    apply(this.#fit, { disabled: end === null || !(own > 0) });
    const text = end === null ? '' : number(end, 3);
    this.#low.textContent = end === null ? '' : `−${text}`;
    if (document.activeElement !== this.#input) this.#input.value = text;
    this.#input.disabled = end === null;
    apply(this.#lock, {
      title: fixed ? texts.scaleUnlock : texts.scaleLock,
      'aria-label': fixed ? texts.scaleUnlock : texts.scaleLock,
      'aria-pressed': String(fixed),
      disabled: end === null,
    });
    this.#lock.replaceChildren(icon(fixed ? icons.lock : icons.unlock));
    const table = divergingTable();
    const image = new ImageData(511, 1);
    for (let i = 0; i < 511; i++) image.data.set([...table.subarray(i * 3, i * 3 + 3), 255], i * 4);
    this.#canvas.getContext('2d')!.putImageData(image, 0, 0);
  }

  /** What is no number above zero lets the data decide again. */
  #typed(): void {
    const value = Number(this.#input.value.replace(',', '.'));
    this.#input.blur();
    this.#options.choose(value > 0 && Number.isFinite(value) ? value : null);
  }
}
