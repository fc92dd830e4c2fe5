/** The scale of a signed field: its colours, zero in the middle, and its ends, which the person may fix. */
import { apply, element, icon } from '../../shared/dom.ts';
import { fill } from '../../shared/initial.ts';
import { number } from '../format.ts';
import { icons } from '../icons.ts';
import type { Monitor } from '../monitor.ts';
import { divergingTable } from './colour-map.ts';
import type { SignedField } from './fields.ts';

export class ColourBar {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #field: SignedField;
  readonly #canvas = element('canvas', { class: 'colours', width: 511, height: 1, 'aria-hidden': 'true' });
  readonly #low = element('span', { class: 'number' });
  readonly #input: HTMLInputElement;
  readonly #lock: HTMLButtonElement;
  #end = 1;

  constructor(monitor: Monitor, field: SignedField, title: string) {
    const { texts } = monitor;
    this.#monitor = monitor;
    this.#field = field;
    this.#input = element('input', {
      type: 'text',
      class: 'number',
      title: texts.scaleHint,
      'aria-label': fill(texts.scale, title),
      onchange: () => this.#typed(),
    });
    this.#lock = element('button', { class: 'plain', onclick: () => this.#toggle() });
    this.root = element(
      'div',
      { class: 'colour-bar', 'data-field': field },
      element('span', { class: 'muted small' }, title),
      this.#low,
      this.#canvas,
      this.#input,
      this.#lock,
    );
  }

  /** @param end null: every column has its own */
  show(end: number | null): void {
    const { texts, state } = this.#monitor;
    const fixed = state.fields.scales[this.#field] !== null;
    if (end !== null) this.#end = end;
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

  #toggle(): void {
    this.#set(this.#monitor.state.fields.scales[this.#field] === null ? this.#end : null);
  }

  /** What is no number above zero lets the data decide again. */
  #typed(): void {
    const value = Number(this.#input.value.replace(',', '.'));
    this.#input.blur();
    this.#set(value > 0 && Number.isFinite(value) ? value : null);
  }

  #set(end: number | null): void {
    const { fields } = this.#monitor.state;
    this.#monitor.change({ fields: { ...fields, scales: { ...fields.scales, [this.#field]: end } } });
  }
}
