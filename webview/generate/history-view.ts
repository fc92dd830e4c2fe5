/** What was made before: a thumbnail each, loaded when it comes into sight; one click shows it, Delete removes it. */
import type { Entry } from '../../backend/protocol/panels/generate.ts';
import { element, fillWith, icon, setText } from '../shared/dom.ts';
import { dateTime } from '../shared/format.ts';
import { starIcon } from './actions-view.ts';
import { type Box, checkbox } from './field.ts';
import { matches } from './history-search.ts';
import type { Texts } from './texts.ts';

export interface HistoryActions {
  thumbnail(entry: string): Promise<Uint8Array>;
  show(entry: string): void;
  delete(entry: string): void;
}

export class HistoryView {
  readonly element: HTMLElement;
  readonly #text: Texts;
  readonly #actions: HistoryActions;
  readonly #list = element('div', { class: 'thumbnails' });
  readonly #empty: HTMLElement;
  readonly #search: HTMLInputElement;
  readonly #favourites: Box;
  readonly #found = element('p', { class: 'muted small', role: 'status' });
  readonly #tools: HTMLElement;
  readonly #inSight: IntersectionObserver;
  #items = new Map<string, HTMLButtonElement>();
  #entries: readonly Entry[] = [];
  #shown = '';

  constructor(text: Texts, actions: HistoryActions) {
    this.#text = text;
    this.#actions = actions;
    this.#empty = element('p', { class: 'muted' }, text('noHistory'));
    const filter = () => this.#filter();
    this.#search = element('input', {
      ...{ type: 'search', id: 'search', 'aria-label': text('search'), placeholder: text('search'), oninput: filter },
    });
    this.#favourites = checkbox('favourites', text('favouritesOnly'), filter);
    this.#tools = element('div', { class: 'history-tools' }, this.#search, this.#favourites, this.#found);
    this.element = element(
      'section',
      { class: 'history', 'aria-label': text('history') },
      element('header', {}, element('h2', {}, text('history')), this.#tools),
      this.#empty,
      this.#list,
    );
    this.#inSight = new IntersectionObserver((changes) => {
      for (const { isIntersecting, target } of changes) if (isIntersecting) void this.#load(target as HTMLElement);
    });
    this.#list.addEventListener('keydown', (event) => this.#key(event));
  }

  show(entries: readonly Entry[], shown: string): void {
    this.#entries = entries;
    this.#shown = shown;
    this.#filter();
  }

  #filter(): void {
    const found = this.#entries.filter(
      (entry) => matches(entry, this.#search.value) && (!this.#favourites.checked || entry.favourite),
    );
    const { length } = this.#entries;
    this.#tools.hidden = length === 0;
    setText(this.#found, found.length === length ? '' : this.#text('found', found.length, length));
    this.#empty.hidden = length > 0;
    const items = new Map(this.#entries.map((entry) => [entry.id, this.#items.get(entry.id) ?? this.#item(entry)]));
    for (const [id, item] of this.#items) if (!items.has(id)) forget(item);
    this.#items = items;
    const wanted = found.map(({ id }) => items.get(id)!);
    if (wanted.some((item, i) => this.#list.children[i] !== item) || this.#list.children.length !== wanted.length) {
      fillWith(this.#list, ...wanted);
    }
    const current = found.some(({ id }) => id === this.#shown) ? this.#shown : found[0]?.id;
    for (const entry of found) {
      const item = items.get(entry.id)!;
      item.setAttribute('aria-current', String(entry.id === this.#shown));
      item.tabIndex = entry.id === current ? 0 : -1;
      item.classList.toggle('favourite', entry.favourite);
    }
  }

  #item({ id, createdAt, sides, grid }: Entry): HTMLButtonElement {
    const [{ title, images, settings }] = sides as [Entry['sides'][0]];
    const when = dateTime(createdAt);
    const count = grid ? sides.length : images.length;
    const titles = [...new Set(sides.map((side) => side.title))].join(' | ');
    const what = [settings.prompt, titles, this.#text('seedOf', images[0]!.seed)].filter(Boolean).join(', ');
    const label = count === 1 ? `${what}, ${when}` : `${count} × ${what}, ${when}`;
    const item = element(
      'button',
      { type: 'button', class: 'thumbnail', title: label, 'aria-label': label, onclick: () => this.#actions.show(id) },
      element('img', { alt: '', draggable: false, 'data-title': title }),
      icon(starIcon),
      count > 1 && element('span', { class: 'number badge', 'aria-hidden': 'true' }, String(count)),
    );
    item.dataset.entry = id;
    this.#inSight.observe(item);
    return item;
  }

  async #load(item: HTMLElement): Promise<void> {
    this.#inSight.unobserve(item);
    const picture = item.querySelector('img')!;
    try {
      const png = await this.#actions.thumbnail(item.dataset.entry!);
      picture.src = URL.createObjectURL(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
    } catch {
      item.classList.add('missing'); // the files are gone; its settings can still be restored
    }
  }

  #key(event: KeyboardEvent): void {
    const items = [...this.#list.children] as HTMLButtonElement[];
    const from = items.indexOf(event.target as HTMLButtonElement);
    const item = items[from];
    if (!item) return;
    if (event.key === 'Delete') {
      this.#actions.delete(item.dataset.entry!);
      return;
    }
    const ways: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const next = items[from + (ways[event.key] ?? 0)];
    if (!next || next === item) return;
    event.preventDefault();
    item.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

function forget(item: HTMLElement): void {
  const source = item.querySelector('img')?.src;
  if (source?.startsWith('blob:')) URL.revokeObjectURL(source);
}
