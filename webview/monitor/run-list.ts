/** The runs that are shown together: colour, visibility, which one the pictures are of; and how their configs differ. */
import { compareConfigs, removeRun } from '../../backend/protocol/panels/monitor.ts';
import { lineColour, lineStroke, strokeBackground } from '../shared/colours.ts';
import { element, fillWith, icon } from '../shared/dom.ts';
import { beforeNextFrame } from '../shared/frame.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';
import type { RunData } from './data/run-data.ts';
import { stateText } from './header.ts';
import type { Monitor } from './monitor.ts';

export class RunList {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #list = element('ul', { class: 'run-list' });
  readonly #differences = element('details', { class: 'differences', hidden: true });
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #compared = '';

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
    const { texts } = monitor;
    this.root = element('nav', { class: 'runs', 'aria-label': texts.runs }, this.#list, this.#differences);
    monitor.onRuns.on(() => this.#updateSoon());
    this.#updateSoon();
  }

  update(): void {
    this.#updateSoon();
  }

  #update(): void {
    const { runs } = this.#monitor;
    this.root.hidden = runs.length < 2;
    fillWith(this.#list, ...(runs.length < 2 ? [] : runs.map((run) => this.#entry(run))));
    void this.#compare();
  }

  #entry(run: RunData): HTMLElement {
    const { texts, state, focus, host } = this.#monitor;
    const { folder, name, record } = run;
    const place = this.#monitor.place(run);
    const swatch = element('span', { class: 'swatch' });
    swatch.style.background = strokeBackground(lineColour(place), lineStroke(place));
    const visible = !state.hidden.includes(folder);
    return element(
      'li',
      { class: run === focus ? 'run focused' : 'run', 'data-run': folder },
      element('input', {
        type: 'checkbox',
        checked: visible,
        title: texts.showRun,
        'aria-label': `${texts.showRun}: ${name}`,
        onchange: () => this.#monitor.toggle('hidden', folder),
      }),
      swatch,
      element(
        'button',
        {
          class: 'plain text name',
          title: texts.focusRun,
          'aria-pressed': String(run === focus),
          onclick: () => this.#monitor.change({ focus: folder }),
        },
        name,
      ),
      record ? element('span', { class: 'muted small' }, stateText(texts, record.state)) : null,
      element(
        'button',
        {
          class: 'plain',
          title: texts.removeRun,
          'aria-label': `${texts.removeRun}: ${name}`,
          onclick: () => void host.request(removeRun, { folder }).catch(() => {}),
        },
        icon(icons.close),
      ),
    );
  }

  async #compare(): Promise<void> {
    const { runs, texts, host } = this.#monitor;
    const folders = runs.map(({ folder }) => folder);
    const key = JSON.stringify(folders);
    if (key === this.#compared) return;
    this.#compared = key;
    this.#differences.hidden = true;
    if (folders.length < 2) return;
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
