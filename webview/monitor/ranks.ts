/** The processes that train a run together: how fast each computes, and how long it waits for the others. */
import type { MonitorTexts } from '../../backend/protocol/panels/monitor-texts.ts';
import { element, fillWith, icon } from '../shared/dom.ts';
import { number } from '../shared/format.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';
import { rankSpeedTag, rankWaitingTag } from './charts/groups.ts';
import type { RunData } from './data/run-data.ts';

export class RanksSection {
  readonly root = element('details', { class: 'ranks', 'data-testid': 'ranks' });
  readonly #texts: MonitorTexts;
  readonly #summary = element('span', {});
  readonly #rows = element('tbody', {});
  #shown = '';

  constructor(texts: MonitorTexts) {
    this.#texts = texts;
    this.root.hidden = true;
    const heads = [texts.rank, texts.imagesPerSecond, texts.rankWaits];
    this.root.append(
      element('summary', {}, icon(icons.chevron), this.#summary),
      element(
        'table',
        { class: 'ranks-table' },
        element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
        this.#rows,
      ),
    );
  }

  /** Nothing is shown of a run that is one process. */
  show(run: RunData | undefined): void {
    const ranks = run?.record?.ranks ?? 1;
    this.root.hidden = !run || ranks < 2;
    if (this.root.hidden || !run) return;
    const last = (tag: string) => run.curves.last(tag)?.value ?? Number.NaN;
    const each = Array.from(
      { length: ranks },
      (_, rank) => [last(rankSpeedTag(rank)), last(rankWaitingTag(rank))] as const,
    );
    const key = JSON.stringify([run.folder, each]);
    if (key === this.#shown) return;
    this.#shown = key;
    const shares = each.map(([, share]) => share).filter((share) => !Number.isNaN(share));
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    this.#summary.textContent =
      shares.length === 0 ? fill(this.#texts.ranks, ranks) : fill(this.#texts.ranksWaiting, ranks, percent(mean));
    const cell = (text: string) => element('td', { class: 'number' }, text);
    const shown = (value: number, text: (value: number) => string) => cell(Number.isNaN(value) ? '' : text(value));
    fillWith(
      this.#rows,
      ...each.map(([speed, share], rank) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, String(rank)),
          shown(speed, (value) => number(value, 3)),
          shown(share, percent),
        ),
      ),
    );
  }
}

const percent = (share: number) => `${number(100 * share, 2)} %`;
