/** How numbers become colours, and which channels are seen. */
import { type LookKind, lookKinds, type ValueState } from '../../backend/protocol/panels/value.ts';
import type { ValueTexts } from '../../backend/protocol/panels/value-texts.ts';
import { element, fillWith } from '../shared/dom.ts';
import { fill } from '../shared/initial.ts';

export class LookBar {
  readonly root: HTMLElement;
  readonly #texts: ValueTexts;
  readonly #kind: HTMLSelectElement;
  readonly #channels: HTMLSelectElement;

  /** @param whole shows the whole picture again. @param save writes it to a file */
  constructor(texts: ValueTexts, change: (change: Partial<ValueState>) => void, whole: () => void, save: () => void) {
    this.#texts = texts;
    const titles = { signed: texts.kindSigned, image: texts.kindImage, unit: texts.kindUnit, byte: texts.kindByte };
    this.#kind = element(
      'select',
      { 'aria-label': texts.colours, onchange: () => change({ kind: this.#kind.value as LookKind }) },
      ...lookKinds.map((value) => element('option', { value }, titles[value])),
    );
    this.#channels = element('select', {
      'aria-label': texts.channels,
      onchange: () => change({ channels: channelsOf(this.#channels.value) }),
    });
    this.root = element(
      'div',
      { class: 'look-bar' },
      element('label', { class: 'field' }, element('span', { class: 'muted' }, texts.colours), this.#kind),
      element('label', { class: 'field' }, element('span', { class: 'muted' }, texts.channels), this.#channels),
      element('button', { class: 'plain', title: texts.keys, onclick: whole }, texts.wholePicture),
      element('button', { class: 'plain', onclick: save }, texts.savePng),
    );
  }

  show(kind: LookKind, chosen: ValueState['channels'], channels: number): void {
    const texts = this.#texts;
    this.#kind.value = kind;
    if (this.#channels.childElementCount !== channels + 2) {
      const numbers = Array.from({ length: channels }, (_, i) => [String(i), fill(texts.channelNumber, i + 1)]);
      const all = [['together', texts.channelsTogether], ['apart', texts.channelsApart], ...numbers];
      fillWith(this.#channels, ...all.map(([value, name]) => element('option', { value: value! }, name)));
    }
    this.#channels.value = String(typeof chosen === 'number' ? Math.min(chosen, channels - 1) : chosen);
    this.#channels.disabled = channels < 2;
  }
}

const channelsOf = (value: string): ValueState['channels'] =>
  value === 'together' || value === 'apart' ? value : Number(value);
