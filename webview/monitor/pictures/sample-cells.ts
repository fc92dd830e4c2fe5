/** The samples of a grid one by one, each with its prompt under it: parts of the same picture. */
import { apply, element, fillWith, setText } from '../../shared/dom.ts';

export class SampleCells {
  readonly root = element('div', { class: 'sample-cells', hidden: true });
  #cells: { readonly image: HTMLImageElement; readonly caption: HTMLElement }[] = [];

  /** @param url the grid, as square as can be, row by row. @param captions as many as it has samples; [] hides this */
  show(url: string, captions: readonly string[]): void {
    this.root.hidden = captions.length === 0;
    if (this.root.hidden) return;
    if (this.#cells.length !== captions.length) this.#build(captions.length);
    this.#cells.forEach(({ image, caption }, i) => {
      if (image.src !== url) apply(image, { src: url });
      apply(image, { alt: captions[i]! });
      setText(caption, captions[i]!);
    });
  }

  hide(): void {
    this.root.hidden = true;
  }

  #build(count: number): void {
    const { columns, rows } = gridOf(count);
    this.root.style.setProperty('--columns', String(columns));
    this.#cells = Array.from({ length: count }, (_, i) => {
      const [column, row] = [i % columns, Math.floor(i / columns)];
      const image = element('img', { class: 'pixelated' });
      const part = (at: number, of: number) => `${(100 * at) / of}%`;
      const [right, below] = [columns - 1 - column, rows - 1 - row];
      const sides = [part(row, rows), part(right, columns), part(below, rows), part(column, columns)];
      image.style.setProperty('object-view-box', `inset(${sides.join(' ')})`);
      return { image, caption: element('figcaption', {}) };
    });
    fillWith(this.root, ...this.#cells.map(({ image, caption }) => element('figure', {}, image, caption)));
  }
}

/** As the recorder lays samples out. */
export function gridOf(count: number): { columns: number; rows: number } {
  const columns = Math.max(1, Math.ceil(Math.sqrt(count)));
  return { columns, rows: Math.max(1, Math.ceil(count / columns)) };
}
