/**
 * Sets of scores, one below the other, as heatmaps with one pointer and one zoom for all. Takes plain numbers (`scoreSetOf`
 * makes a set of x, x_t and two predictions): it does not ask where they come from.
 */
import type { ScoreTexts } from '../../../backend/protocol/panels/heatmap-texts.ts';
import { element, fillWith, setText } from '../dom.ts';
import { number } from '../format.ts';
import { HeatmapGroup } from '../heatmaps/group.ts';
import { HeatmapCard } from '../heatmaps/heatmap-card.ts';
import { robustMax } from '../heatmaps/robust-max.ts';
import { firstLook, type Look } from './look.ts';
import { LookBar } from './look-bar.ts';
import type { ScoreField, ScoreSet } from './score-set.ts';

export interface ScoreSetOptions {
  readonly texts: ScoreTexts;
  readonly look?: Look;
  /** The person looks at them otherwise: to be kept, if at all. */
  onLook?(look: Look): void;
}

export class ScoreSetView {
  readonly root: HTMLElement;
  readonly group = new HeatmapGroup();
  readonly #options: ScoreSetOptions;
  readonly #bar: LookBar;
  readonly #body = element('div', { class: 'score-sets', tabindex: 0, role: 'group' });
  readonly #cards = new Map<string, HeatmapCard>();
  #sets: readonly ScoreSet[] = [];
  #look: Look;
  #layout = '';

  constructor(options: ScoreSetOptions) {
    const { texts, look = firstLook } = options;
    this.#options = options;
    this.#look = look;
    this.#bar = new LookBar(
      texts,
      (change) => this.#change(change),
      () => this.group.viewport.reset(),
    );
    const spoken = element('p', { class: 'spoken', role: 'status' });
    this.#body.setAttribute('aria-label', `${texts.scores}. ${texts.keys}`);
    this.group.listen(this.#body, spoken);
    this.root = element('div', { class: 'score-set-view' }, this.#bar.root, this.#body, spoken);
  }

  get look(): Look {
    return this.#look;
  }

  /** The cards by `set index` and field, for a picture of the whole. */
  get cards(): ReadonlyMap<string, HeatmapCard> {
    return this.#cards;
  }

  show(sets: readonly ScoreSet[]): void {
    this.#sets = sets;
    this.redraw();
  }

  /** With the theme's colours as they are now. */
  redraw(): void {
    this.#build();
    const fields = this.#sets.flatMap((set) => set.fields);
    const channels = Math.max(0, ...fields.map(({ picture }) => picture.channels));
    this.#bar.show(
      this.#look,
      channels,
      fields.some(({ kind }) => kind === 'image'),
    );
    for (const [i, set] of this.#sets.entries()) this.#showSet(set, i);
  }

  #showSet(set: ScoreSet, index: number): void {
    const { scale, ends, channels, images } = this.#look;
    const isSigned = ({ kind }: ScoreField) => kind === 'signed' || images === 'numbers';
    const row = Math.max(0, ...set.fields.filter(isSigned).map(({ picture }) => naturalEnd(picture.data)));
    for (const field of set.fields) {
      const { id, title, hint, picture } = field;
      const fixed = ends[scale === 'row' ? 'row' : id];
      const own = scale === 'row' ? row : naturalEnd(picture.data);
      this.#cards.get(`${index} ${id}`)!.show({
        ...{ picture, channels, hint, fixed: fixed !== undefined, end: fixed ?? (own || 1) },
        kind: isSigned(field) ? 'signed' : 'image',
        name: title,
      });
    }
    const section = this.#body.children[index]!;
    setText(section.querySelector('h3')!, set.title);
    fillWith(
      section.querySelector('.facts')!,
      ...set.facts.map(({ id, title, hint, value }) =>
        element(
          'span',
          { class: 'fact', 'data-fact': id, title: hint },
          `${title} `,
          element('b', { class: 'number' }, number(value)),
        ),
      ),
    );
  }

  /** Cards stay as long as sets have the same fields, and with them what is looked at. */
  #build(): void {
    const layout = JSON.stringify(this.#sets.map(({ fields }) => fields.map(({ id, title }) => [id, title])));
    if (layout === this.#layout) return;
    this.#layout = layout;
    for (const card of this.#cards.values()) card.dispose();
    this.#cards.clear();
    const { texts } = this.#options;
    const sections = this.#sets.map(({ fields }, i) => {
      const cards = fields.map(({ id, title }) => {
        const choose = (end: number | null) => this.#fix(id, end);
        const card = new HeatmapCard({ group: this.group, texts, id, title, choose });
        this.#cards.set(`${i} ${id}`, card);
        return card.root;
      });
      return element(
        'section',
        { class: 'score-set' },
        element('header', {}, element('h3'), element('p', { class: 'facts muted' })),
        element('div', { class: 'cards' }, ...cards),
      );
    });
    fillWith(this.#body, ...sections);
  }

  #fix(id: string, end: number | null): void {
    const key = this.#look.scale === 'row' ? 'row' : id;
    const { [key]: _, ...others } = this.#look.ends;
    this.#change({ ends: end === null ? others : { ...others, [key]: end } });
  }

  #change(change: Partial<Look>): void {
    this.#look = { ...this.#look, ...change };
    this.#options.onLook?.(this.#look);
    this.redraw();
  }
}

const known = new WeakMap<Float32Array, number>();

function naturalEnd(data: Float32Array): number {
  const found = known.get(data) ?? robustMax(data);
  known.set(data, found);
  return found;
}
