/** The generator's images x, to choose one: buttons that stay while there are as many images, so that focus and clicks do too. */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import { apply, element, fillWith, setText } from '../../shared/dom.ts';
import { paintImage } from '../../shared/heatmaps/paint.ts';
import type { Picture } from '../../shared/heatmaps/picture.ts';
import { fill } from '../../shared/initial.ts';
import type { FieldSet } from './fields.ts';

export interface ImageContent {
  readonly fields: FieldSet;
  readonly chosen: number;
  readonly channel: number;
  /** What an image is of, '' where that is unknown. */
  caption(image: number): string;
  /** What latents decode to, by image; [] where they are pictures themselves. */
  readonly decoded: readonly Picture[];
}

export class ImageChoice {
  readonly root = element('div', { class: 'images', role: 'group' });
  readonly #texts: MonitorTexts;
  readonly #choose: (image: number) => void;
  readonly #row = element('div', { class: 'thumbs' });
  readonly #caption = element('p', { class: 'prompt', hidden: true });
  #buttons: HTMLButtonElement[] = [];

  constructor(texts: MonitorTexts, choose: (image: number) => void) {
    this.#texts = texts;
    this.#choose = choose;
    apply(this.root, { 'aria-label': texts.images });
    this.root.append(this.#row, this.#caption);
  }

  show({ fields, chosen, channel, caption, decoded }: ImageContent): void {
    if (this.#buttons.length !== fields.images) this.#build(fields.images);
    this.#buttons.forEach((button, image) => {
      const picture = fields.x(image);
      const [own, beside] = button.querySelectorAll('canvas');
      if (picture) paintImage(own!, picture, channel);
      const shown = decoded[image];
      beside!.hidden = !shown;
      button.classList.toggle('both', shown !== undefined);
      if (shown) paintImage(beside!, shown, -1);
      const title = [fill(this.#texts.image, image + 1), this.#of(fields, image, caption)].filter(Boolean).join(' · ');
      apply(button, { title, 'aria-label': `x, ${title}`, 'aria-pressed': String(image === chosen) });
    });
    const words = caption(chosen);
    this.#caption.hidden = words === '';
    setText(this.#caption, words);
  }

  #of(fields: FieldSet, image: number, caption: (image: number) => string): string {
    const kind = fields.classes[image];
    return caption(image) || (typeof kind === 'number' ? fill(this.#texts.imageClass, kind) : '');
  }

  #build(images: number): void {
    this.#buttons = Array.from({ length: images }, (_, image) =>
      element(
        'button',
        { class: 'plain thumb', onclick: () => this.#choose(image) },
        element('canvas', { class: 'pixelated', 'aria-hidden': 'true' }),
        element('canvas', { class: 'decoded', 'aria-hidden': 'true', hidden: true }),
      ),
    );
    fillWith(this.#row, element('span', { class: 'row-title', title: this.#texts.rowX }, 'x'), ...this.#buttons);
  }
}
