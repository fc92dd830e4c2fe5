/** The runs that are shown together, in a table that can be folded; and how their configs differ. */
import { compareConfigs } from '../../backend/protocol/panels/monitor.ts';
import { element, fillWith, icon, setText } from '../shared/dom.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';
import type { Monitor } from './monitor.ts';
import { RunTable } from './runs/run-table.ts';

/** Numbers in the table change so often; what the person does shows at once. */
const updateMilliseconds = 400;
/** A column of differences for each of more runs than this would be a wall. */
const mostCompared = 8;

export class RunList {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #table: RunTable;
  readonly #fold: HTMLDetailsElement;
  readonly #title = element('span', {});
  readonly #differences = element('details', { class: 'differences', hidden: true });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #compared = '';

  constructor(monitor: Monitor) {
    const { texts } = monitor;
    this.#monitor = monitor;
    this.#table = new RunTable(monitor);
    this.#fold = element(
      'details',
      { class: 'run-fold', open: monitor.state.table.open },
      element('summary', {}, icon(icons.chevron), element('h2', {}, texts.runs), this.#title),
      this.#table.root,
    );
    this.#fold.addEventListener('toggle', () => {
      const { table } = monitor.state;
      if (table.open !== this.#fold.open) monitor.change({ table: { ...table, open: this.#fold.open } });
    });
    this.root = element('nav', { class: 'runs', 'aria-label': texts.runs }, this.#fold, this.#differences);
    monitor.onRuns.on(() => this.#update());
    monitor.onHighlight.on(() => this.#table.update());
    this.#update();
  }

  /** Soon, and not more often than a person reads. */
  update(): void {
    this.#timer ??= setTimeout(() => this.#update(), updateMilliseconds);
  }

  #update(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { runs } = this.#monitor;
    this.root.hidden = runs.length < 2;
    setText(this.#title, runs.length < 2 ? '' : String(runs.length));
    this.#table.update();
    void this.#compare();
  }

  async #compare(): Promise<void> {
    const { runs, texts, host } = this.#monitor;
    const folders = runs.map(({ folder }) => folder);
    const key = JSON.stringify(folders);
    if (key === this.#compared) return;
    this.#compared = key;
    this.#differences.hidden = true;
    if (folders.length < 2 || folders.length > mostCompared) return;
    const rows = await host.request(compareConfigs, { folders }).catch(() => null);
    if (!rows || key !== this.#compared) return;
    const summary =
      rows.length === 0 ? texts.noDifferences : rows.length === 1 ? texts.oneDifference : texts.differences;
    const cell = (value: string | null | undefined) =>
      element('td', { class: 'number' }, value ?? element('span', { class: 'muted' }, texts.notSet));
    fillWith(
      this.#differences,
      element('summary', {}, icon(icons.chevron), fill(summary, rows.length)),
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element('tr', {}, element('th', {}, texts.configKey), ...runs.map(({ name }) => element('th', {}, name))),
        ),
        element(
          'tbody',
          {},
          ...rows.map((row) =>
            element('tr', {}, element('th', { scope: 'row' }, row.key), ...folders.map((_, i) => cell(row.values[i]))),
          ),
        ),
      ),
    );
    this.#differences.hidden = false;
  }
}
