/** The strips of what is inspected: one, or those of two states with their difference, below each other. */
import type { InspectorTexts } from '../../backend/protocol/panels/inspector-texts.ts';
import { element, fillWith, setText } from '../shared/dom.ts';
import type { HeatmapGroup } from '../shared/heatmaps/group.ts';
import type { Look } from '../shared/scores/look.ts';
import { type Strip, StripView } from './strip.ts';

export type { Strip } from './strip.ts';

interface Shown {
  readonly title: HTMLElement;
  readonly view: StripView;
}

export class StripsView {
  readonly root = element('div', { class: 'strips' });
  readonly #make: () => Shown;
  #shown: Shown[] = [];

  /** @param choose the person wants to see the level, by its index */
  constructor(texts: InspectorTexts, group: HeatmapGroup, choose: (level: number) => void) {
    this.#make = () => ({ title: element('h3', {}), view: new StripView(texts, group, choose) });
  }

  show(strips: readonly Strip[], look: Look): void {
    const wanted = strips.filter(({ inspection }) => inspection.levels.length > 0);
    if (wanted.length !== this.#shown.length) {
      for (const { view } of this.#shown.slice(wanted.length)) view.dispose();
      this.#shown = wanted.map((_, i) => this.#shown[i] ?? this.#make());
      fillWith(this.root, ...this.#shown.flatMap(({ title, view }) => [title, view.root]));
    }
    for (const [i, strip] of wanted.entries()) {
      const { title, view } = this.#shown[i]!;
      title.hidden = strip.title === '';
      setText(title, strip.title);
      view.show(strip, look);
    }
  }
}
