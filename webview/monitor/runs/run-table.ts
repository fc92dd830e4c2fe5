/** The runs that are shown together, and the one legend of all charts: sorted, filtered, grouped, pinned, hidden. */
import { element, fillWith, setText } from '../../shared/dom.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import { stateText } from '../header.ts';
import type { Monitor } from '../monitor.ts';
import { type Column, columnsFor } from './columns.ts';
import { arranged, bestOf, type Grouping, type Listed } from './order.ts';
import { RunRow } from './run-row.ts';

/** Fewer need no search. */
const manyRuns = 6;

interface ListedRun extends Listed {
  readonly run: RunData;
}

export class RunTable {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #rows = new Map<RunData, RunRow>();
  readonly #heads = element('tr', {});
  readonly #body = element('tbody', {});
  readonly #filter: HTMLInputElement;
  readonly #group: HTMLSelectElement;
  readonly #tools: HTMLElement;
  readonly #count = element('span', { class: 'muted small', role: 'status' });
  #headsKey = '';
  #orderKey = '';
  #orderWaits = false;

  constructor(monitor: Monitor) {
    const { texts } = monitor;
    this.#monitor = monitor;
    const change = (part: Partial<Monitor['state']['table']>) => {
      monitor.change({ table: { ...monitor.state.table, ...part } });
      this.update(true);
    };
    this.#change = change;
    this.#filter = element('input', {
      type: 'text',
      placeholder: texts.filterRuns,
      'aria-label': texts.filterRuns,
      oninput: () => change({ filter: this.#filter.value }),
    });
    const groups: [Grouping, string][] = [
      ['none', texts.groupNone],
      ['state', texts.groupState],
      ['kind', texts.groupKind],
      ['tag', texts.groupTag],
    ];
    this.#group = element(
      'select',
      { 'aria-label': texts.groupRuns, onchange: () => change({ group: this.#group.value as Grouping }) },
      ...groups.map(([value, title]) => element('option', { value }, title)),
    );
    const all = (shown: boolean) =>
      monitor.change({
        hidden: shown ? [] : monitor.runs.map(({ folder }) => folder).filter((one) => one !== monitor.focus?.folder),
      });
    this.#tools = element(
      'div',
      { class: 'bar run-tools' },
      this.#filter,
      this.#group,
      element('button', { class: 'plain text', onclick: () => all(true) }, texts.showAllRuns),
      element('button', { class: 'plain text', onclick: () => all(false) }, texts.hideOtherRuns),
      this.#count,
    );
    this.root = element(
      'div',
      { class: 'run-list' },
      this.#tools,
      element(
        'div',
        { class: 'run-scroll' },
        element(
          'table',
          { class: 'run-table', 'aria-label': texts.runs },
          element('thead', {}, this.#heads),
          this.#body,
        ),
      ),
    );
    // What waited for the pointer to leave.
    this.root.addEventListener('mouseleave', () => this.#orderWaits && this.update());
    this.root.addEventListener('focusout', () => this.#orderWaits && this.update());
  }

  readonly #change: (part: Partial<Monitor['state']['table']>) => void;

  /** @param ordered the person asked for another order: it comes at once, under the pointer too */
  update(ordered = false): void {
    const { runs, state, texts } = this.#monitor;
    this.root.hidden = runs.length < 2;
    if (this.root.hidden) {
      this.#clear();
      return;
    }
    const columns = columnsFor(texts, runs);
    const listed = runs.map((run) => this.#listed(run, columns));
    const { filter, sort, group, pinned } = state.table;
    const best = bestOf(listed, columns);
    this.#tools.hidden = runs.length < manyRuns && filter === '' && group === 'none';
    if (this.#filter.value !== filter) this.#filter.value = filter;
    this.#group.value = group;
    this.#showHeads(columns);
    for (const run of [...this.#rows.keys()]) if (!runs.includes(run)) this.#rows.delete(run);
    for (const run of runs) this.#row(run).update(columns, best);
    const sections = arranged(listed, filter, sort, group, pinned);
    const found = sections.reduce((sum, section) => sum + section.runs.length, 0);
    setText(this.#count, found < runs.length ? fill(texts.runsFound, found, runs.length) : '');
    this.#order(sections, columns.length, ordered);
  }

  #listed(run: RunData, columns: readonly Column[]): ListedRun {
    const { texts } = this.#monitor;
    const { folder, name, record } = run;
    const numbers = new Map(columns.map(({ id, value }) => [id, value(run)]));
    const state = record ? stateText(texts, record.state) : '';
    return { run, folder, name, state, kind: record?.kind ?? '', tags: record?.tags ?? [], numbers };
  }

  #row(run: RunData): RunRow {
    const known = this.#rows.get(run);
    if (known) return known;
    const pin = () => {
      const { pinned } = this.#monitor.state.table;
      const without = pinned.filter((folder) => folder !== run.folder);
      this.#change({ pinned: without.length < pinned.length ? without : [...pinned, run.folder] });
    };
    const row = new RunRow(this.#monitor, run, pin, (tag) => this.#change({ filter: tag }));
    this.#rows.set(run, row);
    return row;
  }

  /** Rows that change places by themselves do so only where nobody is about to press them. */
  #order(sections: ReturnType<typeof arranged<ListedRun>>, columns: number, ordered: boolean): void {
    const key = JSON.stringify(sections.map(({ title, runs }) => [title, runs.map(({ folder }) => folder)]));
    const same = key === this.#orderKey;
    const sameRuns =
      this.#body.querySelectorAll('tr.run').length === sections.reduce((n, { runs }) => n + runs.length, 0);
    this.#orderWaits = !same && !ordered && sameRuns && this.#isInUse();
    if (same || this.#orderWaits) return;
    this.#orderKey = key;
    const { texts } = this.#monitor;
    const active = document.activeElement;
    const several = sections.length > 1 || (sections[0]?.title ?? '') !== '';
    fillWith(
      this.#body,
      ...sections.flatMap(({ title, runs }) => [
        several &&
          element(
            'tr',
            { class: 'run-group' },
            element(
              'th',
              { colspan: columns + 4, scope: 'rowgroup' },
              title === null ? texts.pinnedRuns : title || texts.noGroup,
            ),
          ),
        ...runs.map(({ run }) => this.#row(run).root),
      ]),
    );
    if (active instanceof HTMLElement && this.#body.contains(active)) active.focus();
  }

  #isInUse(): boolean {
    return this.#body.matches(':hover') || this.#body.contains(document.activeElement);
  }

  #showHeads(columns: readonly Column[]): void {
    const { texts, state } = this.#monitor;
    const { sort } = state.table;
    const key = JSON.stringify([columns.map(({ id, title }) => [id, title]), sort]);
    if (key === this.#headsKey) return;
    this.#headsKey = key;
    const focused = document.activeElement?.closest('th')?.getAttribute('data-sort');
    const head = (id: string, title: string, numeric = false) => {
      const direction = sort?.by !== id ? 'none' : sort.down ? 'descending' : 'ascending';
      const arrow = direction === 'none' ? '' : direction === 'descending' ? ' ↓' : ' ↑';
      return element(
        'th',
        { scope: 'col', 'aria-sort': direction, 'data-sort': id, class: numeric ? 'number' : undefined },
        element('button', { class: 'plain text', title: texts.sortRuns, onclick: () => this.#sort(id) }, title + arrow),
      );
    };
    fillWith(
      this.#heads,
      head('name', texts.runName),
      head('state', texts.runState),
      ...columns.map(({ id, title }) => head(id, title, true)),
      element('th', { scope: 'col' }, texts.runTags),
      element('td', {}),
    );
    if (focused) this.#heads.querySelector<HTMLElement>(`[data-sort="${CSS.escape(focused)}"] button`)?.focus();
  }

  /** Up, down, as they were added. */
  #sort(by: string): void {
    const { sort } = this.#monitor.state.table;
    const next = sort?.by !== by ? { by, down: false } : sort.down ? null : { by, down: true };
    this.#change({ sort: next });
  }

  #clear(): void {
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#orderKey = '';
  }
}
