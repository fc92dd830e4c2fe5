/**
 * The probe of a run whose samples are points of the plane: what each field says of a point, in numbers. As pictures they would be
 * of one pixel.
 */
import type { ScoreTexts } from '../../../backend/protocol/panels/heatmap-texts.ts';
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import { element, fillWith } from '../../shared/dom.ts';
import { number } from '../../shared/format.ts';
import type { Picture } from '../../shared/heatmaps/picture.ts';
import { fill } from '../../shared/initial.ts';
import { type FieldSet, recordedFields } from './fields.ts';
import { columnTitle, rowHint, rowTitle } from './names.ts';

/** Points at most: more would be a wall of numbers. */
const mostPoints = 8;

export class PointTable {
  readonly root = element('div', { class: 'point-tables', hidden: true });
  readonly #texts: MonitorTexts;
  readonly #scores: ScoreTexts;

  constructor(texts: MonitorTexts, scores: ScoreTexts) {
    this.#texts = texts;
    this.#scores = scores;
  }

  /** Null hides it. */
  show(fields: FieldSet | null): void {
    this.root.hidden = fields === null;
    if (!fields) return;
    const shown = fields.perLevel ? Math.min(fields.images, mostPoints) : Math.min(fields.images, 1);
    const tables = Array.from({ length: shown }, (_, image) => this.#table(fields, image));
    fillWith(this.root, element('p', { class: 'muted' }, this.#texts.pointsNote), ...tables);
  }

  #table(fields: FieldSet, image: number): HTMLElement {
    const texts = this.#texts;
    const columns = fields.columns(image, mostPoints);
    const x = fields.x(image);
    const rows = recordedFields.filter((name) => columns.some((column) => column.picture(name)));
    return element(
      'table',
      { class: 'point-table' },
      element('caption', {}, fields.perLevel ? `${fill(texts.pointNumber, image + 1)} · x ${x ? point(x) : ''}` : ''),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          element('td'),
          ...columns.map((column) => element('th', { scope: 'col' }, columnTitle(texts, column, fields.perLevel))),
        ),
      ),
      element(
        'tbody',
        {},
        ...rows.map((name) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row', title: rowHint(this.#scores, name) }, rowTitle(texts, name)),
            ...columns.map((column) => {
              const picture = column.picture(name);
              return element('td', { class: 'number' }, picture ? point(picture) : '');
            }),
          ),
        ),
      ),
    );
  }
}

function point({ data }: Picture): string {
  return `(${[...data].map((value) => number(value, 3)).join(', ')})`;
}
