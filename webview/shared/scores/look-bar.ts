/** The choices of how score sets are looked at. */
import type { HeatmapTexts } from '../../../backend/protocol/panels/heatmap-texts.ts';
import { apply, element, fillWith } from '../dom.ts';
import { fill } from '../initial.ts';
import type { Look } from './look.ts';

export class LookBar {
  readonly root = element('div', { class: 'look-bar' });
  readonly #texts: HeatmapTexts;
  readonly #channels: HTMLSelectElement;
  readonly #scale: HTMLSelectElement;
  readonly #images: HTMLSelectElement;
  readonly #imagesField: HTMLElement;

  /** @param whole shows whole pictures again */
  constructor(texts: HeatmapTexts, change: (change: Partial<Look>) => void, whole: () => void) {
    this.#texts = texts;
    this.#channels = element('select', { onchange: () => change({ channels: channelsOf(this.#channels.value) }) });
    this.#scale = choice({ each: texts.scaleEach, row: texts.scaleRow }, (scale) => change({ scale }));
    this.#images = choice({ pictures: texts.asPictures, numbers: texts.asNumbers }, (images) => change({ images }));
    this.#imagesField = field(texts.predictions, this.#images);
    const reset = element('button', { class: 'plain', title: texts.keys, onclick: whole }, texts.wholePicture);
    this.root.append(
      ...[field(texts.channels, this.#channels), field(texts.scaleOf, this.#scale), this.#imagesField, reset],
    );
  }

  /** @param channels as many as the pictures have at most. @param images whether any is there */
  show({ channels: chosen, scale, images: as }: Look, channels: number, images: boolean): void {
    const texts = this.#texts;
    const kinds = { together: texts.channelsTogether, apart: texts.channelsApart };
    if (this.#channels.childElementCount !== channels + 2) {
      const numbers = Array.from(
        { length: channels },
        (_, i) => [String(i), fill(texts.channelNumber, i + 1)] as const,
      );
      fillWith(
        this.#channels,
        ...[...Object.entries(kinds), ...numbers].map(([value, name]) => element('option', { value }, name)),
      );
    }
    this.#channels.value = String(typeof chosen === 'number' ? Math.min(chosen, channels - 1) : chosen);
    this.#scale.value = scale;
    this.#images.value = as;
    this.#imagesField.hidden = !images;
    apply(this.root, { hidden: channels === 0 });
  }
}

const channelsOf = (value: string): Look['channels'] =>
  value === 'together' || value === 'apart' ? value : Number(value);

function choice<T extends string>(names: Readonly<Record<T, string>>, change: (value: T) => void): HTMLSelectElement {
  const options = Object.entries<string>(names).map(([value, name]) => element('option', { value }, name));
  const select: HTMLSelectElement = element('select', { onchange: () => change(select.value as T) }, ...options);
  return select;
}

function field(title: string, control: HTMLElement): HTMLElement {
  apply(control, { 'aria-label': title });
  return element('label', { class: 'field' }, element('span', { class: 'muted' }, title), control);
}
