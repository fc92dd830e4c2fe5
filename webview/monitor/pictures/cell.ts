/** One picture of the grid, with the value under the crosshair below it. */
import { apply, element, setText } from '../../shared/dom.ts';
import { number } from '../../shared/format.ts';
import { paintImage, paintSigned } from '../../shared/heatmaps/paint.ts';
import { countOdd, type Picture, valueAt } from '../../shared/heatmaps/picture.ts';

export interface CellContent {
  readonly picture: Picture;
  /** -1: the mean of the channels, or colours. */
  readonly channel: number;
  /** End of the colour scale of a signed field; null: a picture. */
  readonly end: number | null;
  /** What it is, for those who do not see it. */
  readonly name: string;
  /** How many of its numbers are NaN or infinite, in words. */
  nan(count: number): string;
}

export class Cell {
  readonly root: HTMLElement;
  readonly #canvas = element('canvas', { class: 'pixelated', role: 'img' });
  readonly #value = element('span', { class: 'value number' });
  readonly #nan = element('span', { class: 'nan error', hidden: true });
  #content: CellContent | null = null;

  /** @param point the pixel under the pointer, null when it left */
  constructor(field: string, column: number, point: (pixel: { x: number; y: number } | null) => void) {
    const frame = element('div', { class: 'frame' }, this.#canvas, element('div', { class: 'crosshair' }));
    this.root = element(
      'div',
      { class: 'cell', 'data-field': field, 'data-column': column },
      frame,
      this.#value,
      this.#nan,
    );
    frame.addEventListener('pointermove', (event) => {
      const picture = this.#content?.picture;
      if (!picture) return;
      const box = this.#canvas.getBoundingClientRect();
      const place = (part: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(part * size)));
      point({
        x: place((event.clientX - box.left) / box.width, picture.width),
        y: place((event.clientY - box.top) / box.height, picture.height),
      });
    });
    frame.addEventListener('pointerleave', () => point(null));
  }

  get canvas(): HTMLCanvasElement {
    return this.#canvas;
  }

  show(content: CellContent | null): void {
    this.#content = content;
    this.root.hidden = content === null;
    if (!content) return;
    const { picture, channel, end, name } = content;
    if (end === null) paintImage(this.#canvas, picture, channel);
    else paintSigned(this.#canvas, picture, channel, end);
    const odd = countOdd(picture);
    this.#nan.hidden = odd === 0;
    setText(this.#nan, odd > 0 ? content.nan(odd) : '');
    apply(this.#canvas, { 'aria-label': odd > 0 ? `${name}. ${content.nan(odd)}` : name });
  }

  point(pixel: { x: number; y: number } | null): void {
    const value = this.valueAt(pixel);
    setText(this.#value, value === null ? '' : number(value, 3));
  }

  valueAt(pixel: { x: number; y: number } | null): number | null {
    const content = this.#content;
    if (!content || !pixel || pixel.x >= content.picture.width || pixel.y >= content.picture.height) return null;
    return valueAt(content.picture, content.channel, pixel.x, pixel.y);
  }
}
