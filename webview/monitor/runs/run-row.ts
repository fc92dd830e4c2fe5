/** One run in the table. It stays the same row while its numbers change, so that it keeps the focus and is hit by clicks. */
import { removeRun } from '../../../backend/protocol/panels/monitor.ts';
import { lineColour, lineStroke, strokeBackground } from '../../shared/colours.ts';
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { icons } from '../../shared/icons.ts';
import type { RunData } from '../data/run-data.ts';
import { stateText } from '../header.ts';
import type { Monitor } from '../monitor.ts';
import type { Column } from './columns.ts';

export class RunRow {
  readonly root: HTMLTableRowElement;
  readonly run: RunData;
  readonly #monitor: Monitor;
  readonly #shown: HTMLInputElement;
  readonly #swatch = element('span', { class: 'swatch' });
  readonly #name: HTMLButtonElement;
  readonly #state = element('span', { class: 'muted small' });
  readonly #tags = element('td', { class: 'tags' });
  readonly #pin: HTMLButtonElement;
  readonly #remove: HTMLButtonElement;
  readonly #end: HTMLElement;
  readonly #cells = new Map<string, HTMLElement>();
  #tagsKey = '';
  #columnsKey = '';

  /** @param filter a tag was chosen */
  constructor(monitor: Monitor, run: RunData, pin: () => void, filter: (tag: string) => void) {
    const { texts, host } = monitor;
    const { folder } = run;
    this.#monitor = monitor;
    this.run = run;
    this.#filter = filter;
    this.#shown = element('input', {
      type: 'checkbox',
      title: texts.showRun,
      onchange: () => monitor.toggle('hidden', folder),
    });
    this.#name = element('button', {
      class: 'plain text name',
      title: texts.focusRun,
      onclick: () => monitor.change({ focus: folder }),
    });
    this.#pin = element('button', { class: 'plain pin', onclick: pin }, icon(icons.pin));
    this.#remove = element(
      'button',
      {
        class: 'plain',
        title: texts.removeRun,
        onclick: () => void host.request(removeRun, { folder }).catch(() => {}),
      },
      icon(icons.close),
    );
    this.#end = element('td', { class: 'row-actions' }, this.#pin, this.#remove);
    this.root = element('tr', {
      'data-run': folder,
      onmouseenter: () => monitor.highlight(folder),
      onmouseleave: () => monitor.highlight(null),
    });
    this.root.append(
      element('th', { scope: 'row' }, element('span', { class: 'run-name' }, this.#shown, this.#swatch, this.#name)),
      element('td', {}, this.#state),
      this.#tags,
      this.#end,
    );
  }

  readonly #filter: (tag: string) => void;

  update(columns: readonly Column[], best: ReadonlyMap<string, string>): void {
    const { texts, state, focus, highlighted } = this.#monitor;
    const { folder, name, record } = this.run;
    const place = this.#monitor.place(this.run);
    const focused = this.run === focus;
    this.root.className = ['run', focused && 'focused', highlighted === folder && 'pointed'].filter(Boolean).join(' ');
    this.#shown.checked = !state.hidden.includes(folder);
    this.#swatch.style.background = strokeBackground(lineColour(place), lineStroke(place));
    setText(this.#name, name);
    setText(this.#state, record ? stateText(texts, record.state) : '');
    const pinned = state.table.pinned.includes(folder);
    const pinTitle = pinned ? texts.unpinRun : texts.pinRun;
    apply(this.#shown, { 'aria-label': `${texts.showRun}: ${name}` });
    apply(this.#name, { 'aria-pressed': String(focused) });
    apply(this.#pin, { 'aria-pressed': String(pinned), title: pinTitle, 'aria-label': `${pinTitle}: ${name}` });
    apply(this.#remove, { 'aria-label': `${texts.removeRun}: ${name}` });
    this.#showTags(record?.tags ?? []);
    this.#showNumbers(columns, best);
  }

  #showNumbers(columns: readonly Column[], best: ReadonlyMap<string, string>): void {
    const key = columns.map(({ id }) => id).join('\n');
    if (key !== this.#columnsKey) {
      this.#columnsKey = key;
      for (const cell of this.#cells.values()) cell.remove();
      this.#cells.clear();
      for (const { id } of columns) {
        const cell = element('td', { class: 'number', 'data-column': id });
        this.#cells.set(id, cell);
        this.#tags.before(cell);
      }
    }
    for (const { id, value, text } of columns) {
      const cell = this.#cells.get(id)!;
      const known = value(this.run);
      const has = !Number.isNaN(known) || this.run.curves.last(id) !== undefined;
      const isBest = best.get(id) === this.run.folder;
      setText(cell, has ? text(known) : '–');
      cell.classList.toggle('best', isBest);
      apply(cell, { title: isBest ? this.#monitor.texts.bestOfRuns : undefined });
    }
  }

  #showTags(tags: readonly string[]): void {
    const key = tags.join('\n');
    if (key === this.#tagsKey) return;
    this.#tagsKey = key;
    const { texts } = this.#monitor;
    fillWith(
      this.#tags,
      ...tags.map((tag) =>
        element('button', { class: 'plain tag', title: texts.filterByTag, onclick: () => this.#filter(tag) }, tag),
      ),
    );
  }
}
