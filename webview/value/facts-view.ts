/** What values are: shape, type, statistics and counts, a row for each and one for their difference. */
import type { ValueTexts } from '../../backend/protocol/panels/value-texts.ts';
import { type ArrayValue, type StatisticName, statistic } from '../../backend/protocol/values/value.ts';
import { element, fillWith } from '../shared/dom.ts';
import { count, number } from '../shared/format.ts';
import type { Statistics } from '../shared/heatmaps/statistics.ts';
import { fill } from '../shared/initial.ts';

export interface NamedValue {
  readonly name: string;
  readonly value: ArrayValue;
}

const measured: readonly StatisticName[] = ['min', 'mean', 'max', 'std'];
const counted: readonly StatisticName[] = ['nan', 'above', 'below', 'zero'];

export class FactsView {
  readonly root = element('table', { class: 'facts number' });
  readonly #texts: ValueTexts;

  constructor(texts: ValueTexts) {
    this.#texts = texts;
  }

  /** @param difference of what is seen of two values */
  show(values: readonly NamedValue[], difference: Statistics | null): void {
    const texts = this.#texts;
    const titles = [
      texts.value,
      texts.shape,
      texts.type,
      ...[...measured, ...counted].map((name) => texts[titleOf[name]]),
    ];
    const head = element('tr', {}, ...titles.map((title) => element('th', { scope: 'col' }, title)));
    const rows = values.map(({ name, value }) => this.#row(name, value));
    if (difference) rows.push(this.#differenceRow(difference));
    fillWith(this.root, element('thead', {}, head), element('tbody', {}, ...rows));
  }

  #row(name: string, value: ArrayValue): HTMLElement {
    const { shape, dtype, library, device } = value;
    const texts = this.#texts;
    const where = device === '' ? library : fill(texts.on, library, device);
    const cell = (id: string, text: string, alarm = false) =>
      element('td', { 'data-fact': id, class: alarm ? 'error' : undefined }, text);
    const numbers = value.counted
      ? [
          ...measured.map((id) => cell(id, number(statistic(value, id)))),
          ...counted.map((id) => cell(id, count(statistic(value, id)), id !== 'zero' && statistic(value, id) > 0)),
        ]
      : [element('td', { colspan: measured.length + counted.length, class: 'muted' }, texts.notCounted)];
    return element(
      'tr',
      {},
      element('th', { scope: 'row', title: name }, name),
      cell('shape', shape.length > 0 ? shape.join(' × ') : '1'),
      element('td', { 'data-fact': 'dtype' }, `${dtype} `, element('span', { class: 'muted' }, where)),
      ...numbers,
    );
  }

  #differenceRow({ min, mean, max, std, nan, plusInfinity, minusInfinity, zero }: Statistics): HTMLElement {
    const cells = [
      ...[min, mean, max, std].map((value) => number(value)),
      ...[nan, plusInfinity, minusInfinity, zero].map((value) => count(value)),
    ];
    const ids = [...measured, ...counted];
    return element(
      'tr',
      { class: 'difference' },
      element('th', { scope: 'row', colspan: 3 }, this.#texts.seenDifference),
      ...cells.map((text, i) => element('td', { 'data-fact': ids[i]! }, text)),
    );
  }
}

const titleOf = {
  count: 'value',
  min: 'min',
  mean: 'mean',
  max: 'max',
  std: 'std',
  nan: 'nan',
  above: 'above',
  below: 'below',
  zero: 'zero',
} as const satisfies Record<StatisticName, keyof ValueTexts>;
