/** A heatmap with its title, the scale beside it, the value under the pointer, and what is said of its numbers. */
import type { HeatmapTexts } from '../../../backend/protocol/panels/heatmap-texts.ts';
import { apply, element, setText } from '../dom.ts';
import { number } from '../format.ts';
import { fill } from '../initial.ts';
import type { HeatmapGroup } from './group.ts';
import { type HeatmapContent, HeatmapView } from './heatmap-view.ts';
import { ScaleBar } from './scale-bar.ts';
import { type Statistics, statistics } from './statistics.ts';

export interface CardContent extends Omit<HeatmapContent, 'summary'> {
  readonly hint: string;
  readonly fixed: boolean;
}

export interface CardOptions {
  readonly group: HeatmapGroup;
  readonly texts: HeatmapTexts;
  /** Finds it on the page. */
  readonly id: string;
  readonly title: string;
  choose(end: number | null): void;
}

const known = new WeakMap<Float32Array, Statistics>();

/** Of numbers that do not change any more. */
export function statisticsOf(data: Float32Array): Statistics {
  const found = known.get(data) ?? statistics(data);
  known.set(data, found);
  return found;
}

export class HeatmapCard {
  readonly root: HTMLElement;
  readonly view: HeatmapView;
  readonly #texts: HeatmapTexts;
  readonly #title = element('figcaption');
  readonly #bar: ScaleBar;
  readonly #value = element('p', { class: 'value number', 'aria-hidden': 'true' });
  readonly #statistics = element('p', { class: 'statistics number muted' });
  readonly #odd = element('p', { class: 'odd error', hidden: true });
  readonly #end: () => void;

  constructor({ group, texts, id, title, choose }: CardOptions) {
    this.#texts = texts;
    this.view = new HeatmapView(group);
    this.#bar = new ScaleBar({ texts, title, choose });
    const frame = element('div', { class: 'picture-scale' }, this.view.canvas, this.#bar.root);
    this.root = element(
      'figure',
      { class: 'heatmap-card', 'data-field': id },
      ...[this.#title, frame, this.#value, this.#statistics, this.#odd],
    );
    this.#end = group.onPoint.on(() => setText(this.#value, this.view.readout()));
  }

  show({ hint, fixed, ...content }: CardContent): void {
    const texts = this.#texts;
    const found = statisticsOf(content.picture.data);
    const summary = fill(texts.statistics, ...[found.min, found.mean, found.max, found.std].map((v) => number(v, 3)));
    const infinite = found.plusInfinity + found.minusInfinity;
    const odd = [
      found.nan > 0 && fill(texts.oddNan, found.nan),
      infinite > 0 && fill(texts.oddInfinite, infinite),
    ].filter(Boolean);
    setText(this.#title, content.name);
    apply(this.#title, { title: hint });
    setText(this.#statistics, summary);
    apply(this.#statistics, { title: fill(texts.zeros, found.zero, found.count) });
    this.#odd.hidden = odd.length === 0;
    setText(this.#odd, odd.join(', '));
    this.#bar.root.hidden = content.kind === 'image';
    this.#bar.show(content.end, fixed);
    this.view.show({ ...content, summary: [summary, ...odd].join('. ') });
    setText(this.#value, this.view.readout());
  }

  dispose(): void {
    this.#end();
    this.view.dispose();
    this.root.remove();
  }
}
