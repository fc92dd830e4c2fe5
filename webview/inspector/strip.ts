/** One image at all noise levels: a column per level, the fields below each other, with the pointer and zoom of the sets above. */
import type { Inspection } from '../../backend/protocol/inspection.ts';
import type { InspectorTexts } from '../../backend/protocol/panels/inspector-texts.ts';
import { apply, element, fillWith } from '../shared/dom.ts';
import { number } from '../shared/format.ts';
import type { HeatmapGroup } from '../shared/heatmaps/group.ts';
import { statisticsOf } from '../shared/heatmaps/heatmap-card.ts';
import { HeatmapView } from '../shared/heatmaps/heatmap-view.ts';
import type { Picture } from '../shared/heatmaps/picture.ts';
import { robustMax } from '../shared/heatmaps/robust-max.ts';
import { fill } from '../shared/initial.ts';
import type { Look } from '../shared/scores/look.ts';
import { difference } from '../shared/scores/score-set.ts';
import { projected, stripPicture } from './sets.ts';

export interface Strip {
  /** What it is of; '' where there is only one. */
  readonly title: string;
  readonly inspection: Inspection;
  /** Between two inspections: every row has a sign. */
  readonly isDifference: boolean;
}

const rows = ['xt', 'muReal', 'muFake', 'difference', 'grad'] as const;

export class StripView {
  readonly root = element('div', { class: 'strip', role: 'group' });
  readonly #texts: InspectorTexts;
  readonly #group: HeatmapGroup;
  readonly #choose: (level: number) => void;
  #views = new Map<string, HeatmapView>();
  #heads: HTMLButtonElement[] = [];
  #columns = -1;

  /** @param choose the person wants to see the level, by its index */
  constructor(texts: InspectorTexts, group: HeatmapGroup, choose: (level: number) => void) {
    this.#texts = texts;
    this.#group = group;
    this.#choose = choose;
  }

  get views(): ReadonlyMap<string, HeatmapView> {
    return this.#views;
  }

  show({ title, inspection, isDifference }: Strip, look: Look): void {
    const { strip, levels, tensors, level: chosen } = inspection;
    this.#build(levels.length);
    apply(this.root, { 'aria-label': [this.#texts.strip, title, this.#texts.stripHint].filter(Boolean).join('. ') });
    const map = tensors.find(({ name }) => name === 'projection')?.data;
    for (const [column, level] of levels.entries()) {
      const head = this.#heads[column]!;
      const name = fill(this.#texts.atLevel, level.index, number(level.sigma, 4));
      head.textContent = number(level.sigma, 3);
      apply(head, {
        ...{ title: name, 'aria-label': name },
        'aria-pressed': String(level.index === chosen.index),
        'data-level': level.index,
      });
    }
    for (const row of rows) {
      const pictures = levels.map((_, column) => this.#picture(strip, row, column));
      const signed = isDifference || row === 'difference' || row === 'grad' || (look.images === 'numbers' && !map);
      const all = Math.max(0, ...pictures.map((picture) => robustMax(picture.data)));
      for (const [column, picture] of pictures.entries()) {
        const own = look.scale === 'row' ? all : robustMax(picture.data);
        const shown = !signed && map ? projected(picture, map) : picture;
        const found = statisticsOf(picture.data);
        this.#views.get(`${row} ${column}`)!.show({
          ...{ picture: shown, kind: signed ? 'signed' : 'image', channels: channelsFor(look, shown) },
          end: own || 1,
          name: [this.#title(row), `σ ${number(levels[column]!.sigma, 3)}`, title].filter(Boolean).join(', '),
          summary: fill(
            this.#texts.statistics,
            ...[found.min, found.mean, found.max, found.std].map((value) => number(value, 3)),
          ),
        });
      }
    }
  }

  #picture(strip: Inspection['strip'], row: (typeof rows)[number], column: number): Picture {
    if (row !== 'difference') return stripPicture(strip, row, column)!;
    return difference(stripPicture(strip, 'muReal', column)!, stripPicture(strip, 'muFake', column)!);
  }

  #title(row: (typeof rows)[number]): string {
    const { fieldXt, fieldMuReal, fieldMuFake, fieldDifference, fieldGrad } = this.#texts;
    return { xt: fieldXt, muReal: fieldMuReal, muFake: fieldMuFake, difference: fieldDifference, grad: fieldGrad }[row];
  }

  dispose(): void {
    for (const view of this.#views.values()) view.dispose();
  }

  #build(columns: number): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    for (const view of this.#views.values()) view.dispose();
    this.#views = new Map();
    this.root.style.setProperty('--columns', String(columns));
    this.#heads = Array.from({ length: columns }, () => {
      const head: HTMLButtonElement = element('button', {
        class: 'plain head number',
        onclick: () => this.#choose(Number(head.dataset.level)),
      });
      return head;
    });
    const lines = rows.map((row) => [
      element('div', { class: 'row-title' }, this.#title(row)),
      ...Array.from({ length: columns }, (_, column) => {
        const view = new HeatmapView(this.#group);
        this.#views.set(`${row} ${column}`, view);
        apply(view.canvas, { 'data-field': row, 'data-column': column });
        return view.canvas;
      }),
    ]);
    fillWith(this.root, element('div', { class: 'row-title corner' }, 'σ'), ...this.#heads, ...lines.flat());
  }
}

/** A channel that the picture does not have is its last. */
function channelsFor({ channels }: Look, picture: Picture): Look['channels'] {
  return typeof channels === 'number' ? Math.min(channels, picture.channels - 1) : channels;
}
