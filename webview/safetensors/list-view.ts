/** The tensors of a file, filtered by name; one of them is chosen, with the mouse or the arrow keys. */
import type { SafetensorsTexts } from '../../backend/protocol/panels/safetensors.ts';
import type { WeightsContent } from '../../backend/protocol/rpc/weights.ts';
import { element, fillWith } from '../shared/dom.ts';
import { count } from '../shared/format.ts';
import { fill } from '../shared/initial.ts';

type Tensor = WeightsContent['tensors'][number];

/** Rows that are made; of more the person sees how many there are. */
const mostRows = 500;

export class ListView {
  readonly root: HTMLElement;
  readonly #texts: SafetensorsTexts;
  readonly #filter: HTMLInputElement;
  readonly #list: HTMLElement;
  readonly #note = element('p', { class: 'muted small', role: 'status' });
  readonly #choose: (name: string) => void;
  #tensors: readonly Tensor[] = [];
  #shown: readonly Tensor[] = [];
  #chosen = '';

  constructor(texts: SafetensorsTexts, choose: (name: string) => void, filtered: (text: string) => void) {
    this.#texts = texts;
    this.#choose = choose;
    this.#filter = element('input', {
      ...{ type: 'text', class: 'filter', placeholder: texts.filter, 'aria-label': texts.filter },
      oninput: () => {
        filtered(this.#filter.value);
        this.#fill();
      },
    });
    this.#list = element('div', {
      ...{ class: 'tensors', role: 'listbox', tabindex: 0, 'aria-label': texts.tensors },
      onkeydown: (event: KeyboardEvent) => this.#key(event),
    });
    this.root = element('div', { class: 'list' }, this.#filter, this.#list, this.#note);
  }

  show(tensors: readonly Tensor[], filter: string, chosen: string): void {
    this.#tensors = tensors;
    this.#chosen = chosen;
    this.#filter.value = filter;
    this.#fill();
  }

  #fill(): void {
    const texts = this.#texts;
    const fitting = this.#fitting();
    this.#shown = fitting.slice(0, mostRows);
    fillWith(this.#list, ...this.#shown.map((tensor, i) => this.#row(tensor, i)));
    const more = fitting.length - this.#shown.length;
    const none = this.#tensors.length === 0 ? texts.noTensor : texts.noneFits;
    this.#note.textContent = fitting.length === 0 ? none : more > 0 ? fill(texts.more, count(more)) : '';
    this.#mark();
  }

  #fitting(): readonly Tensor[] {
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return this.#tensors.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  }

  #row({ name, dtype, shape }: Tensor, i: number): HTMLElement {
    return element(
      'div',
      { class: 'tensor', role: 'option', id: `tensor-${i}`, title: name, onclick: () => this.#pick(name) },
      element('span', { class: 'name' }, name),
      element('span', { class: 'muted number' }, `${dtype} ${shape.length > 0 ? shape.join(' × ') : '1'}`),
    );
  }

  #pick(name: string): void {
    if (name === this.#chosen) return;
    this.#chosen = name;
    this.#mark();
    this.#choose(name);
  }

  #mark(): void {
    const at = this.#shown.findIndex(({ name }) => name === this.#chosen);
    for (const [i, row] of [...this.#list.children].entries()) row.setAttribute('aria-selected', String(i === at));
    if (at < 0) this.#list.removeAttribute('aria-activedescendant');
    else this.#list.setAttribute('aria-activedescendant', `tensor-${at}`);
    this.#list.children[at]?.scrollIntoView({ block: 'nearest' });
  }

  #key(event: KeyboardEvent): void {
    const at = this.#shown.findIndex(({ name }) => name === this.#chosen);
    const last = this.#shown.length - 1;
    const places: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last };
    const next = places[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.#pick(this.#shown[Math.max(0, Math.min(last, next))]!.name);
  }
}
