/**
 * The cells of the score fields: a row per field, a column per noise level (or image of a batch). One crosshair in all of
 * them; arrow keys move it for those without a pointer.
 */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { number } from '../../shared/format.ts';
import { extent, type Picture, valueAt } from '../../shared/heatmaps/picture.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import { Cell } from './cell.ts';
import { type Column, type FieldName, fieldNames, isSigned, type SignedField } from './fields.ts';

export interface GridContent {
  readonly step: number;
  readonly columns: readonly Column[];
  /** What a column is called when it is not a level of the same image. */
  columnTitle(column: Column): string;
  x(column: Column): Picture | null;
  readonly channel: number;
  end(field: SignedField, column: number): number;
  /** Opens the score inspector on a column; null where its noise is not known. */
  readonly inspect: ((column: Column) => void) | null;
}

export class FieldGrid {
  readonly root = element('div', { class: 'field-grid', tabindex: 0, role: 'group' });
  readonly #texts: MonitorTexts;
  readonly #readout = element('p', { class: 'readout number muted' });
  readonly #keyReadout = element('p', { class: 'spoken', role: 'status' });
  readonly #grid = element('div', { class: 'grid' });
  #heads: HTMLElement[] = [];
  #cells = new Map<string, Cell>();
  #layout = '';
  #content: GridContent | null = null;
  #pixel: { x: number; y: number } | null = null;

  constructor(texts: MonitorTexts) {
    this.#texts = texts;
    this.root.append(this.#grid, this.#readout, this.#keyReadout);
    this.root.addEventListener('keydown', (event) => this.#key(event));
    apply(this.root, { 'aria-label': `${texts.fields}. ${texts.pixelHint}` });
  }

  /** A canvas with all cells as they are seen, for a picture of the whole. */
  get cells(): ReadonlyMap<string, Cell> {
    return this.#cells;
  }

  show(content: GridContent): void {
    this.#content = content;
    const { columns, channel } = content;
    const rows = fieldNames.filter((name) => columns.some((column) => column.picture(name)));
    this.#build(rows, columns.length);
    columns.forEach((column, i) => {
      this.#showHead(this.#heads[i]!, content, column);
      for (const name of rows) this.#showCell(name, i, content, column, channel);
    });
    apply(this.root, { 'data-step': content.step });
    this.#point(this.#pixel);
  }

  #showCell(name: FieldName, index: number, content: GridContent, column: Column, channel: number): void {
    const texts = this.#texts;
    const picture = column.picture(name);
    const end = isSigned(name) ? content.end(name, index) : null;
    const words = picture && [
      rowTitle(texts, name),
      content.columnTitle(column),
      fill(texts.cellSummary, ...extent(picture).map((value) => number(value, 3))),
    ];
    this.#cells.get(`${name} ${index}`)!.show(
      picture && {
        picture,
        channel,
        end,
        name: words!.filter(Boolean).join(', '),
        nan: (odd) => fill(texts.nanPixels, odd),
      },
    );
  }

  #showHead(head: HTMLElement, content: GridContent, column: Column): void {
    const { sigma, cosine, residualRatio } = column;
    const texts = this.#texts;
    const title = content.columnTitle(column);
    fillWith(
      head,
      element('span', { class: 'sigma' }, [title, `σ ${number(sigma, 3)}`].filter(Boolean).join(' · ')),
      cosine !== null &&
        element(
          'span',
          { class: 'muted', title: texts.cosine },
          'cos ',
          element('b', { class: 'number' }, number(cosine, 3)),
        ),
      residualRatio !== null &&
        element(
          'span',
          { class: 'muted', title: texts.residualRatio },
          'ratio ',
          element('b', { class: 'number' }, number(residualRatio, 3)),
        ),
      content.inspect !== null &&
        element(
          'button',
          {
            ...{ class: 'plain', title: texts.inspectHere },
            'aria-label': `${texts.inspectHere}: σ ${number(sigma, 3)}`,
            onclick: () => content.inspect?.(column),
          },
          icon(icons.inspect),
        ),
    );
  }

  #build(rows: readonly FieldName[], columns: number): void {
    const layout = `${rows.join()} ${columns}`;
    if (layout === this.#layout) return;
    this.#layout = layout;
    this.#heads = Array.from({ length: columns }, () => element('div', { class: 'head' }));
    this.#cells = new Map();
    this.root.style.setProperty('--columns', String(columns));
    const lines = rows.map((name) => {
      const cells = Array.from({ length: columns }, (_, i) => {
        const cell = new Cell(name, i, (pixel) => this.#point(pixel));
        this.#cells.set(`${name} ${i}`, cell);
        return cell.root;
      });
      const hint = name === 'difference' ? this.#texts.differenceHint : '';
      return [element('div', { class: 'row-title', title: hint }, rowTitle(this.#texts, name)), ...cells];
    });
    fillWith(this.#grid, element('div', { class: 'corner' }), ...this.#heads, ...lines.flat());
  }

  /** Shows the pixel in every cell, and its values. */
  #point(pixel: { x: number; y: number } | null): void {
    this.#pixel = pixel;
    for (const cell of this.#cells.values()) cell.point(pixel);
    const picture = this.#anyPicture();
    this.root.classList.toggle('pointing', pixel !== null && picture !== null);
    setText(this.#readout, this.#words());
    if (!pixel || !picture) return;
    const { style } = this.root;
    style.setProperty('--px', String(pixel.x / picture.width));
    style.setProperty('--py', String(pixel.y / picture.height));
    style.setProperty('--pw', String(1 / picture.width));
    style.setProperty('--ph', String(1 / picture.height));
  }

  #anyPicture(): Picture | null {
    const [column] = this.#content?.columns ?? [];
    return column ? this.#content!.x(column) : null;
  }

  #words(): string {
    const content = this.#content;
    const [column] = content?.columns ?? [];
    if (!this.#pixel || !content || !column) return this.#texts.pixelHint;
    const { x, y } = this.#pixel;
    const picture = content.x(column);
    const value =
      picture && x < picture.width && y < picture.height ? valueAt(picture, content.channel, x, y) : Number.NaN;
    return fill(this.#texts.pixel, x, y, number(value, 3));
  }

  #key(event: KeyboardEvent): void {
    const picture = this.#anyPicture();
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === 'Escape' && this.#pixel) this.#point(null);
    else if (!picture || !by) return;
    else {
      const { x, y } = this.#pixel ?? { x: (picture.width >> 1) - by[0]!, y: (picture.height >> 1) - by[1]! };
      const within = (at: number, size: number) => Math.min(size - 1, Math.max(0, at));
      this.#point({ x: within(x + by[0]!, picture.width), y: within(y + by[1]!, picture.height) });
      const values = [...this.#cells].map(([key, cell]) => {
        const value = cell.valueAt(this.#pixel);
        const [name, column] = key.split(' ') as [FieldName, string];
        return value === null ? '' : `${rowTitle(this.#texts, name)} ${Number(column) + 1}: ${number(value, 3)}`;
      });
      setText(this.#keyReadout, [this.#words(), ...values].filter(Boolean).join(', '));
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

export function rowTitle(texts: MonitorTexts, name: FieldName): string {
  const titles: Record<FieldName, string> = {
    xt: texts.rowNoised,
    muReal: texts.rowReal,
    muFake: texts.rowFake,
    difference: texts.rowDifference,
    grad: texts.rowGrad,
  };
  return titles[name];
}
