/** One picture of the grid, with the value under the pointer below it. */
import { element, setText } from '../../shared/dom.ts';
import { number } from '../../shared/format.ts';
import type { HeatmapGroup } from '../../shared/heatmaps/group.ts';
import { HeatmapView } from '../../shared/heatmaps/heatmap-view.ts';
import { countOdd, type Picture } from '../../shared/heatmaps/picture.ts';

export interface CellContent {
  readonly picture: Picture;
  /** -1: the mean of the channels, or colours. */
  readonly channel: number;
  /** End of the colour scale of a signed field; null: a picture. */
  readonly end: number | null;
  /** What it is, for those who do not see it: its field and its level. */
  readonly name: string;
  /** What is said of its numbers. */
  readonly summary: string;
  /** How many of its numbers are NaN or infinite, in words. */
  nan(count: number): string;
}

export class Cell {
  readonly root: HTMLElement;
  readonly #view: HeatmapView;
  readonly #value = element('span', { class: 'value number', 'aria-hidden': 'true' });
  readonly #nan = element('span', { class: 'nan error', hidden: true });
  #channel = -1;

  constructor(group: HeatmapGroup, field: string, column: number) {
    this.#view = new HeatmapView(group);
    this.root = element(
      'div',
      { class: 'cell', 'data-field': field, 'data-column': column },
      ...[this.#view.canvas, this.#value, this.#nan],
    );
  }

  get canvas(): HTMLCanvasElement {
    return this.#view.canvas;
  }

  /** All of it, a pixel a number, however it is looked at. */
  get whole(): OffscreenCanvas {
    return this.#view.whole;
  }

  show(content: CellContent | null): void {
    this.root.hidden = content === null;
    if (!content) return;
    const { picture, channel, end, name, summary } = content;
    this.#channel = channel;
    const odd = countOdd(picture);
    this.#nan.hidden = odd === 0;
    setText(this.#nan, odd > 0 ? content.nan(odd) : '');
    this.#view.show({
      ...{ picture, channels: channel < 0 ? 'together' : channel, kind: end === null ? 'image' : 'signed' },
      ...{ end: end ?? 1, name, summary: odd > 0 ? `${summary}. ${content.nan(odd)}` : summary },
    });
    this.point();
  }

  /** Writes the value where the group points. */
  point(): void {
    const values = this.root.hidden ? null : this.#view.values();
    setText(this.#value, values ? number(this.#shown(values), 3) : '');
  }

  dispose(): void {
    this.#view.dispose();
  }

  #shown(values: readonly number[]): number {
    if (this.#channel >= 0) return values[Math.min(this.#channel, values.length - 1)]!;
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }
}
