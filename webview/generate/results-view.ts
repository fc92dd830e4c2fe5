/** The pictures of one generation: a grid, two side by side with what each took, or a table of two settings. One is selected. */
import type { Entry, Side } from '../../backend/protocol/panels/generate.ts';
import type { Seed } from '../../backend/protocol/seed.ts';
import { element, fillWith, icon } from '../shared/dom.ts';
import { icons } from '../shared/icons.ts';
import { gap, layoutOf, type Room } from './grid-layout.ts';
import { gridTable } from './grid-table.ts';
import { duration, type Texts } from './texts.ts';

export interface Selected {
  readonly side: number;
  readonly image: number;
}

export interface ResultsActions {
  select(selected: Selected): void;
  /** Shows it large. */
  zoom(selected: Selected): void;
  useSeed(seed: Seed): void;
}

/** What one picture consists of. */
interface Cell extends Selected {
  readonly button: HTMLButtonElement;
  readonly seed: HTMLButtonElement;
  readonly picture: HTMLImageElement;
}

/** Least width of a side that stands beside another, and of the room for pictures in any window. */
const narrowSide = 240;
const lowest = 200;
/** What stands under the pictures stays in sight. */
const below = 130;

export class ResultsView {
  readonly element = element('div', { class: 'sides' });
  readonly #text: Texts;
  readonly #actions: ResultsActions;
  #entry: Entry | null = null;
  #cells: Cell[] = [];
  #grids: HTMLElement[] = [];
  /** Pictures in a row, as laid out. */
  #columns = 1;

  constructor(text: Texts, actions: ResultsActions) {
    this.#text = text;
    this.#actions = actions;
    new ResizeObserver(() => this.#layOut()).observe(this.element);
    window.addEventListener('resize', () => this.#layOut());
    this.element.addEventListener('keydown', (event) => this.#move(event));
  }

  /** @param urls of the pictures, by side */
  show(entry: Entry, urls: readonly (readonly string[])[], selected: Selected): void {
    this.#entry = entry;
    this.#cells = [];
    this.#grids = [];
    const { sides, grid } = entry;
    const url = (side: number, image = 0) => urls[side]?.[image] ?? '';
    if (grid) {
      const cells = sides.map((side, s) => this.#cell(side, { side: s, image: 0 }, url(s), ''));
      fillWith(this.element, gridTable(grid, sides, cells, this.#text));
    } else {
      fillWith(this.element, ...sides.map((side, s) => this.#side(side, s, (image) => url(s, image), sides)));
    }
    this.#layOut();
    this.select(selected);
  }

  clear(): void {
    this.#entry = null;
    this.#cells = [];
    fillWith(this.element);
  }

  select(selected: Selected): void {
    for (const { button, seed, side, image } of this.#cells) {
      const chosen = side === selected.side && image === selected.image;
      button.setAttribute('aria-pressed', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      seed.tabIndex = button.tabIndex;
      button.classList.toggle('twin', !chosen && !this.#entry?.grid && image === selected.image);
    }
  }

  #side(side: Side, s: number, url: (image: number) => string, sides: readonly Side[]): HTMLElement {
    const text = this.#text;
    const { title, settings, device, why, startupMilliseconds: startup } = side;
    const steps = settings.steps === 1 ? text('oneStep') : text('stepCount', settings.steps);
    const facts = [steps, device, ...(startup > 0 ? [text('startup', duration(startup))] : [])];
    const cells = side.images.map(({ className, class: id }, image) => {
      const shown = className || (id === null ? (settings.prompt ?? '') : `${id}`);
      return this.#cell(side, { side: s, image }, url(image), shown);
    });
    const grid = element('div', { class: 'grid', role: 'group', 'aria-label': title }, ...cells);
    this.#grids.push(grid);
    return element(
      'section',
      { class: 'side', 'aria-label': title },
      element(
        'header',
        {},
        element('h2', { title: settings.model }, title),
        element(
          'p',
          { class: 'time' },
          element('strong', { class: 'number' }, text('perImage', duration(side.millisecondsPerImage))),
          this.#ratio(side, sides),
        ),
        element('p', { class: 'muted small', title: why }, facts.join(' · ')),
        ...side.notes.map((note) => element('p', { class: 'note small' }, note)),
      ),
      grid,
    );
  }

  /** Beside the faster one. */
  #ratio(side: Side, sides: readonly Side[]): HTMLElement | null {
    const other = sides.find((one) => one !== side);
    if (!other) return null;
    const ratio = other.millisecondsPerImage / side.millisecondsPerImage;
    if (!(ratio > 1)) return null;
    const words = ratio < 1.05 ? this.#text('asFast') : this.#text('faster', ratio.toFixed(ratio < 10 ? 1 : 0));
    return element('span', { class: 'ratio' }, words);
  }

  /** The picture, and under it what it shows and its seed, which can be used again. */
  #cell(side: Side, at: Selected, url: string, shown: string): HTMLElement {
    const text = this.#text;
    const { seed } = side.images[at.image]!;
    const name = [shown, text('seedOf', seed)].filter(Boolean).join(', ');
    const picture = element('img', { src: url, alt: '', draggable: false });
    const button = element(
      'button',
      {
        ...{ type: 'button', class: 'picture', 'aria-label': name, title: name },
        onclick: () => this.#choose(at),
        ondblclick: () => this.#actions.zoom(at),
      },
      picture,
    );
    const again = element(
      'button',
      {
        ...{ type: 'button', class: 'plain seed', 'aria-label': text('useSeed', seed), title: text('useSeed', seed) },
        onclick: () => this.#actions.useSeed(seed),
      },
      icon(icons.again),
      element('span', { class: 'number' }, `${seed}`),
    );
    this.#cells.push({ ...at, button, seed: again, picture });
    return element(
      'div',
      { class: 'cell' },
      button,
      element('div', { class: 'caption' }, element('span', {}, shown), again),
    );
  }

  #choose(at: Selected): void {
    this.select(at);
    this.#actions.select(at);
  }

  #layOut(): void {
    const entry = this.#entry;
    const width = this.element.clientWidth;
    if (!entry || width === 0) return;
    const { sides, grid } = entry;
    const first = sides[0]!;
    const across = !grid && sides.length > 1 && width >= 2 * narrowSide + gap ? 2 : 1;
    this.element.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
    const top = this.element.getBoundingClientRect().top + scrollY + (grid ? 30 : 70);
    const height = Math.max(lowest, innerHeight - top - below);
    const room: Room = grid
      ? { width: width - 96, height: height - 30 }
      : { width: (width - (across - 1) * 20) / across, height };
    const count = grid ? sides.length : first.images.length;
    const { columns, size } = layoutOf(count, first, room, grid?.x.values.length);
    this.#columns = columns;
    for (const one of this.#grids) one.style.gridTemplateColumns = `repeat(${columns}, max-content)`;
    for (const { picture } of this.#cells) {
      picture.style.width = `${size}px`;
      picture.classList.toggle('pixels', first.width < size);
      picture.closest<HTMLElement>('.cell')!.style.width = `${size + 8}px`;
    }
  }

  /** Arrow keys go from picture to picture; one of them is in the tab order. */
  #move(event: KeyboardEvent): void {
    const own = this.#cells.find(({ button }) => button === event.target);
    if (!own) return;
    const cells = this.#entry?.grid ? this.#cells : this.#cells.filter(({ side }) => side === own.side);
    const from = cells.indexOf(own);
    const { length } = cells;
    const row = this.#columns;
    const ways: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row };
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? length - 1 : from + (ways[event.key] ?? 0);
    const next = cells[to];
    if (to === from || !next) return;
    event.preventDefault();
    this.#choose({ side: next.side, image: next.image });
    next.button.focus();
  }
}
