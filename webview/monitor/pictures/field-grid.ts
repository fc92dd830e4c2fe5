/**
 * The cells of the score fields: a row per field, a column per noise level (or image of a batch), a scale beside each signed
 * row. One pointer and one zoom for all of them, and keys for those without a pointer.
 */
import type { ScoreTexts } from '../../../backend/protocol/panels/heatmap-texts.ts';
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { number } from '../../shared/format.ts';
import { HeatmapGroup } from '../../shared/heatmaps/group.ts';
import { extent, type Picture, valueAt } from '../../shared/heatmaps/picture.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import { Cell } from './cell.ts';
import { type Column, type FieldName, fieldNames, isSigned, type SignedField } from './fields.ts';
import { rowHint, rowTitle } from './names.ts';
import type { PictureTable } from './table-picture.ts';

export interface GridContent {
  readonly step: number;
  readonly columns: readonly Column[];
  /** The name of a column: its level, or its image and level. */
  columnTitle(column: Column): string;
  x(column: Column): Picture | null;
  readonly channel: number;
  end(field: SignedField, column: number): number;
  /** Opens the score inspector on a column; null where its noise is not known. */
  readonly inspect: ((column: Column) => void) | null;
}

export class FieldGrid {
  readonly root = element('div', { class: 'field-grid', tabindex: 0, role: 'group' });
  readonly group = new HeatmapGroup();
  readonly #texts: MonitorTexts;
  readonly #scores: ScoreTexts;
  readonly #scales: Readonly<Record<SignedField, HTMLElement>>;
  readonly #readout = element('p', { class: 'readout number muted' });
  readonly #grid = element('div', { class: 'grid' });
  #heads: HTMLElement[] = [];
  #cells = new Map<string, Cell>();
  #layout = '';
  #content: GridContent | null = null;

  /** @param scales stand beside their rows */
  constructor(texts: MonitorTexts, scores: ScoreTexts, scales: Readonly<Record<SignedField, HTMLElement>>) {
    this.#texts = texts;
    this.#scores = scores;
    this.#scales = scales;
    const spoken = element('p', { class: 'spoken', role: 'status' });
    this.root.append(this.#grid, this.#readout, spoken);
    apply(this.root, { 'aria-label': `${texts.fields}. ${texts.pixelHint}` });
    this.group.listen(this.root, spoken);
    this.group.onPoint.on(() => this.#point());
  }

  /** All of its pictures, whole, with what its rows and columns are. */
  table(): Pick<PictureTable, 'heads' | 'rows'> {
    const rows = [...new Set([...this.#cells.keys()].map((key) => key.split(' ')[0] as FieldName))];
    return {
      heads: this.#heads.map((head) => [...head.children].map((child) => child.textContent?.trim() ?? '')),
      rows: rows.map((name) => ({
        title: rowTitle(this.#texts, name),
        pictures: this.#heads.map((_, i) => {
          const cell = this.#cells.get(`${name} ${i}`);
          return cell && !cell.root.hidden ? cell.whole : null;
        }),
      })),
    };
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
    this.#point();
  }

  #showCell(name: FieldName, index: number, content: GridContent, column: Column, channel: number): void {
    const texts = this.#texts;
    const picture = column.picture(name);
    this.#cells.get(`${name} ${index}`)!.show(
      picture && {
        ...{ picture, channel, end: isSigned(name) ? content.end(name, index) : null },
        name: `${rowTitle(texts, name)}, ${content.columnTitle(column)}`,
        summary: fill(texts.cellSummary, ...extent(picture).map((value) => number(value, 3))),
        nan: (odd) => fill(texts.nanPixels, odd),
      },
    );
  }

  #showHead(head: HTMLElement, content: GridContent, column: Column): void {
    const { cosine, residualRatio } = column;
    const texts = this.#texts;
    const title = content.columnTitle(column);
    const fact = (name: string, hint: string, value: number | null) =>
      value !== null &&
      element(
        'span',
        { class: 'muted fact', title: hint, tabindex: -1 },
        `${name} `,
        element('b', { class: 'number' }, number(value, 3)),
      );
    const key = JSON.stringify([title, cosine, residualRatio, content.inspect !== null]);
    if (head.dataset.shown === key) return;
    const focused = head.contains(document.activeElement);
    head.dataset.shown = key;
    fillWith(
      head,
      element('span', { class: 'sigma' }, title),
      fact('cos', texts.cosine, cosine),
      fact('ratio', texts.residualRatio, residualRatio),
      content.inspect !== null &&
        element(
          'button',
          {
            ...{ class: 'plain', title: texts.inspectHere, 'aria-label': `${texts.inspectHere}: ${title}` },
            onclick: () => this.#inspect(head),
          },
          icon(icons.inspect),
        ),
    );
    if (focused) head.querySelector('button')?.focus();
  }

  /** Of what the column shows now. */
  #inspect(head: HTMLElement): void {
    const column = this.#content?.columns[this.#heads.indexOf(head)];
    if (column) this.#content?.inspect?.(column);
  }

  #build(rows: readonly FieldName[], columns: number): void {
    const layout = `${rows.join()} ${columns}`;
    if (layout === this.#layout) return;
    this.#layout = layout;
    for (const cell of this.#cells.values()) cell.dispose();
    this.#heads = Array.from({ length: columns }, () => element('div', { class: 'head' }));
    this.#cells = new Map();
    this.root.style.setProperty('--columns', String(columns));
    const lines = rows.map((name) => {
      const cells = Array.from({ length: columns }, (_, i) => {
        const cell = new Cell(this.group, name, i);
        this.#cells.set(`${name} ${i}`, cell);
        return cell.root;
      });
      const title = element('div', { class: 'row-title', 'data-row': name, title: rowHint(this.#scores, name) });
      title.append(isSigned(name) ? this.#scales[name] : rowTitle(this.#texts, name));
      return [title, ...cells];
    });
    fillWith(this.#grid, element('div', { class: 'corner' }), ...this.#heads, ...lines.flat());
  }

  /** Says which pixel is pointed at, and its values. */
  #point(): void {
    for (const cell of this.#cells.values()) cell.point();
    setText(this.#readout, this.#words());
  }

  #words(): string {
    const content = this.#content;
    const [column] = content?.columns ?? [];
    const { place } = this.group;
    const picture = content && column ? content.x(column) : null;
    if (!place || !content || !picture) return this.#texts.pixelHint;
    const [x, y] = [Math.floor(place.x * picture.width), Math.floor(place.y * picture.height)];
    return fill(this.#texts.pixel, x, y, number(valueAt(picture, content.channel, x, y), 3));
  }
}
