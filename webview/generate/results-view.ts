/** The pictures of one generation: a grid, or two side by side with what each took. One picture is selected. */
import type { Entry, Side } from '../../backend/protocol/panels/generate.ts';
import { element, fillWith } from '../shared/dom.ts';
import { duration, type Texts } from './texts.ts';

export interface Selected {
  readonly side: number;
  readonly image: number;
}

/** Small pictures are shown larger, the fewer the larger, but not blurred. */
function shownSize(width: number, images: number): number {
  const smallest = images === 1 ? 256 : images <= 4 ? 160 : images <= 16 ? 112 : 80;
  return Math.max(smallest, Math.min(width, 512));
}

export class ResultsView {
  readonly element = element('div', { class: 'sides' });
  readonly #text: Texts;
  readonly #onSelect: (selected: Selected) => void;
  #buttons: HTMLButtonElement[][] = [];

  constructor(text: Texts, onSelect: (selected: Selected) => void) {
    this.#text = text;
    this.#onSelect = onSelect;
  }

  /** @param urls of the pictures, by side */
  show({ sides }: Entry, urls: readonly (readonly string[])[], selected: Selected): void {
    this.#buttons = [];
    fillWith(this.element, ...sides.map((side, s) => this.#side(side, urls[s] ?? [], s, sides)));
    this.select(selected);
  }

  clear(): void {
    this.#buttons = [];
    fillWith(this.element);
  }

  select(selected: Selected): void {
    this.#buttons.forEach((buttons, side) => {
      buttons.forEach((button, image) => {
        const chosen = side === selected.side && image === selected.image;
        button.setAttribute('aria-pressed', String(chosen));
        button.tabIndex = chosen ? 0 : -1;
        button.classList.toggle('twin', !chosen && image === selected.image);
      });
    });
  }

  #side(side: Side, urls: readonly string[], index: number, sides: readonly Side[]): HTMLElement {
    const text = this.#text;
    const { title, settings, device, why, startupMilliseconds: startup } = side;
    const steps = settings.steps === 1 ? text('oneStep') : text('stepCount', settings.steps);
    const facts = [steps, device, ...(startup > 0 ? [text('startup', duration(startup))] : [])];
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
      this.#grid(side, urls, index),
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

  #grid(side: Side, urls: readonly string[], s: number): HTMLElement {
    const columns = Math.ceil(Math.sqrt(side.images.length));
    const size = shownSize(side.width, side.images.length);
    const buttons = side.images.map(({ seed, className, class: id }, image) => {
      const shown = className || (id === null ? (side.settings.prompt ?? '') : `${id}`);
      const caption = [shown, this.#text('seedOf', seed)].filter(Boolean).join(', ');
      const picture = element('img', { src: urls[image] ?? '', alt: '', draggable: false });
      picture.style.width = `${size}px`;
      if (side.width < size) picture.classList.add('pixels');
      return element(
        'button',
        {
          type: 'button',
          class: 'picture',
          'aria-label': caption,
          title: caption,
          onclick: () => this.#choose(s, image),
        },
        picture,
        element(
          'span',
          { class: 'caption' },
          element('span', {}, shown),
          element('span', { class: 'muted number' }, `${seed}`),
        ),
      );
    });
    this.#buttons.push(buttons);
    const grid = element('div', { class: 'grid', role: 'group', 'aria-label': side.title }, ...buttons);
    grid.style.maxWidth = `${columns * (size + 16)}px`; // a square, where there is room
    grid.addEventListener('keydown', (event) => this.#move(event, s, columns));
    return grid;
  }

  #choose(side: number, image: number): void {
    this.select({ side, image });
    this.#onSelect({ side, image });
  }

  /** Arrow keys go from picture to picture; one of them is in the tab order. */
  #move(event: KeyboardEvent, side: number, columns: number): void {
    const buttons = this.#buttons[side] ?? [];
    const from = buttons.indexOf(event.target as HTMLButtonElement);
    const perRow = rowLength(buttons) || columns;
    const ways: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow };
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? buttons.length - 1 : from + (ways[event.key] ?? 0);
    if (from < 0 || to === from || !buttons[to]) return;
    event.preventDefault();
    this.#choose(side, to);
    buttons[to].focus();
  }
}

/** How many pictures stand in the first row: the grid wraps as it likes. */
function rowLength(buttons: readonly HTMLElement[]): number {
  const top = buttons[0]?.offsetTop;
  const wrapped = buttons.findIndex(({ offsetTop }) => offsetTop !== top);
  return wrapped < 0 ? buttons.length : wrapped;
}
