/** What was made before: a thumbnail each, loaded when it comes into sight; one click shows it, Delete removes it. */
import type { Entry } from '../../backend/protocol/panels/generate.ts';
import { element, fillWith } from '../shared/dom.ts';
import { dateTime } from '../shared/format.ts';
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
  readonly #inSight: IntersectionObserver;
  #items = new Map<string, HTMLButtonElement>();

  constructor(text: Texts, actions: HistoryActions) {
    this.#text = text;
    this.#actions = actions;
    this.#empty = element('p', { class: 'muted' }, text('noHistory'));
    this.element = element(
      'section',
      { class: 'history', 'aria-label': text('history') },
      element('h2', {}, text('history')),
      this.#empty,
      this.#list,
    );
    this.#inSight = new IntersectionObserver((changes) => {
      for (const { isIntersecting, target } of changes) if (isIntersecting) void this.#load(target as HTMLElement);
    });
    this.#list.addEventListener('keydown', (event) => this.#key(event));
  }

  show(entries: readonly Entry[], shown: string): void {
    this.#empty.hidden = entries.length > 0;
    const items = new Map(entries.map((entry) => [entry.id, this.#items.get(entry.id) ?? this.#item(entry)]));
    for (const [id, item] of this.#items) if (!items.has(id)) forget(item);
    if ([...items.keys()].join() !== [...this.#items.keys()].join()) fillWith(this.#list, ...items.values());
    this.#items = items;
    const current = items.has(shown) ? shown : entries[0]?.id;
    for (const [id, item] of items) {
      item.setAttribute('aria-current', String(id === shown));
      item.tabIndex = id === current ? 0 : -1;
    }
  }

  #item({ id, createdAt, sides }: Entry): HTMLButtonElement {
    const [{ title, images }] = sides as [Entry['sides'][0]];
    const when = dateTime(createdAt);
    const what = `${sides.map((side) => side.title).join(' | ')}, ${this.#text('seedOf', images[0]!.seed)}`;
    const label = images.length === 1 ? `${what}, ${when}` : `${images.length} × ${what}, ${when}`;
    const item = element(
      'button',
      { type: 'button', class: 'thumbnail', title: label, 'aria-label': label, onclick: () => this.#actions.show(id) },
      element('img', { alt: '', draggable: false, 'data-title': title }),
      images.length > 1 && element('span', { class: 'number badge', 'aria-hidden': 'true' }, String(images.length)),
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
    const items = [...this.#items.values()];
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
