/** The pictures of a grid as a table: the values of one setting above the columns, of the other beside the rows. */
import type { Side } from '../../backend/protocol/panels/generate.ts';
import type { Axis, Grid } from '../../backend/protocol/panels/generate-form.ts';
import { element } from '../shared/dom.ts';
import { duration, type Texts } from './texts.ts';

/** @param sides the cells, row by row; `cells` are their pictures */
export function gridTable(
  { x, y }: Grid,
  sides: readonly Side[],
  cells: readonly HTMLElement[],
  text: Texts,
): HTMLElement {
  const columns = x.values.length;
  const name = y ? text('gridOver', text(y.setting), text(x.setting)) : text(x.setting);
  const rows = Array.from({ length: y?.values.length ?? 1 }, (_, r) => cells.slice(r * columns, (r + 1) * columns));
  const body = rows.map((row, r) => {
    const side = sides[r * columns];
    const head = y && element('th', { scope: 'row' }, valueText(y, r, side, text));
    return element(
      'tr',
      {},
      head,
      ...row.map((cell, c) => element('td', { title: timeOf(sides[r * columns + c]) }, cell)),
    );
  });
  const heads = x.values.map((_, c) => element('th', { scope: 'col' }, valueText(x, c, sides[c], text)));
  const caption = element(
    'caption',
    {},
    element('h2', {}, name),
    element('p', { class: 'muted small' }, factsOf(sides)),
  );
  return element(
    'table',
    { class: 'grid-table' },
    caption,
    element('thead', {}, element('tr', {}, y && element('td', {}), ...heads)),
    element('tbody', {}, ...body),
  );
}

/** Models and classes by the names that people know. */
function valueText({ setting, values }: Axis, index: number, side: Side | undefined, text: Texts): string {
  const value = values[index] ?? '';
  if (setting === 'model') return side?.title ?? value;
  if (setting === 'class') return side?.images[0]?.className || value;
  if (setting === 'steps') return value === '1' ? text('oneStep') : text('stepCount', value);
  return setting === 'seed' ? text('seedOf', value) : value;
}

function factsOf(sides: readonly Side[]): string {
  const titles = new Set(sides.map(({ title }) => title));
  return [...titles, ...new Set(sides.map(({ device }) => device))].join(' · ');
}

function timeOf(side: Side | undefined): string {
  return side ? duration(side.millisecondsPerImage) : '';
}
