/** The last stops, each with its signed difference on the scale of all of them; one is looked at. */
import type { ScoreStop } from '../../backend/protocol/panels/score-watch.ts';
import type { ScoreWatchTexts } from '../../backend/protocol/panels/score-watch-texts.ts';
import { element, fillWith } from '../shared/dom.ts';
import { number } from '../shared/format.ts';
import { paintSigned } from '../shared/heatmaps/paint.ts';
import { robustMax } from '../shared/heatmaps/robust-max.ts';
import { fill } from '../shared/initial.ts';
import type { StopSet } from './set-of.ts';

export interface StripItem {
  readonly stop: ScoreStop;
  readonly made: StopSet;
}

export class Strip {
  readonly root = element('section', { class: 'strip', hidden: true });
  readonly #texts: ScoreWatchTexts;
  readonly #list = element('div', { class: 'stops', role: 'listbox' });
  readonly #choose: (id: number | null) => void;

  constructor(texts: ScoreWatchTexts, choose: (id: number | null) => void, forget: () => void) {
    this.#texts = texts;
    this.#choose = choose;
    const title = element('h2', {}, texts.lastStops);
    this.#list.setAttribute('aria-label', texts.lastStops);
    const button = element('button', { class: 'plain', onclick: forget }, texts.forget);
    this.root.append(element('header', {}, title, button), this.#list);
  }

  show(items: readonly StripItem[], chosen: number | undefined): void {
    this.root.hidden = items.length === 0;
    const ends = items.map(({ made }) => (made.difference ? robustMax(made.difference.data) : 0));
    const end = Math.max(...ends, 0) || 1;
    const last = items.at(-1)?.stop.id;
    fillWith(this.#list, ...items.map(({ stop, made }) => this.#item(stop, made, end, stop.id === chosen, last)));
    this.#list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  #item(stop: ScoreStop, made: StopSet, end: number, isChosen: boolean, last: number | undefined): HTMLElement {
    const canvas = element('canvas', { class: 'pixelated', 'aria-hidden': 'true' });
    if (made.difference) paintSigned(canvas, made.difference, -1, end);
    const ratio = made.set.facts.find(({ id }) => id === 'residualRatio')?.value;
    const where = stop.stop.where.replace(/ \(.*/, '');
    return element(
      'button',
      {
        ...{ class: 'stop', role: 'option', 'aria-selected': String(isChosen), 'data-stop': stop.id },
        title: fill(this.#texts.stopName, stop.stop.where, stop.sample),
        onclick: () => this.#choose(stop.id === last ? null : stop.id),
      },
      made.difference ? canvas : element('span', { class: 'nothing' }, '—'),
      element('span', {}, where),
      ratio !== undefined && element('span', { class: 'muted number' }, `ratio ${number(ratio, 3)}`),
    );
  }
}
