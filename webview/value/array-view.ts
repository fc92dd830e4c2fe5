/** What was read of an array, as facts, axes, look and picture. Knows nobody who could be asked. */
import type { ValueState } from '../../backend/protocol/panels/value.ts';
import type { ValueTexts } from '../../backend/protocol/panels/value-texts.ts';
import { element, setText } from '../shared/dom.ts';
import { HeatmapGroup } from '../shared/heatmaps/group.ts';
import { HeatmapCard, statisticsOf } from '../shared/heatmaps/heatmap-card.ts';
import { robustMax } from '../shared/heatmaps/robust-max.ts';
import { fill } from '../shared/initial.ts';
import { toPng } from '../shared/png.ts';
import { AxesBar } from './axes-bar.ts';
import { FactsView } from './facts-view.ts';
import { LookBar } from './look-bar.ts';
import { guessKind, opaque, ranges } from './picture-of.ts';
import type { Reading } from './reading.ts';

export class ArrayView {
  readonly root = element('div', { class: 'shown', tabindex: 0, role: 'group', hidden: true });
  /** Says the value under the crosshair. */
  readonly spoken = element('p', { class: 'spoken', role: 'status' });
  readonly #texts: ValueTexts;
  readonly #axes: AxesBar;
  readonly #look: LookBar;
  readonly #facts: FactsView;
  readonly #group = new HeatmapGroup();
  readonly #card: HeatmapCard;
  readonly #every = element('p', { class: 'muted small', hidden: true });

  /** @param change what the person wants to see instead. @param save the picture, in a file */
  constructor(texts: ValueTexts, change: (change: Partial<ValueState>) => void, save: () => void) {
    this.#texts = texts;
    this.#axes = new AxesBar(texts, change);
    this.#look = new LookBar(texts, change, () => this.#group.viewport.reset(), save);
    this.#facts = new FactsView(texts);
    const choose = (end: number | null) => change({ end });
    this.#card = new HeatmapCard({ group: this.#group, texts, id: 'value', title: texts.value, choose });
    this.#group.listen(this.root, this.spoken);
    this.root.setAttribute('aria-label', texts.keys);
    this.root.append(
      ...[element('div', { class: 'facts-frame' }, this.#facts.root), this.#axes.root, this.#look.root],
      ...[this.#every, this.#card.root],
    );
  }

  /** @param names of the value and of what is taken from it */
  show(reading: Reading, state: ValueState, names: { readonly value: string; readonly other: string }): void {
    const { value, other, seen } = reading;
    const { channels, end } = state;
    const kind = other ? 'signed' : (state.kind ?? guessKind(value, seen));
    const picture = kind !== 'signed' && channels === 'together' ? opaque(reading.picture) : reading.picture;
    const values = [{ name: names.value, value }, ...(other ? [{ name: names.other, value: other }] : [])];
    this.root.hidden = false;
    this.root.classList.toggle('flat', picture.width > 8 * picture.height);
    this.#facts.show(values, other ? statisticsOf(picture.data) : null);
    this.#axes.show(value.shape, state);
    this.#look.show(kind, channels, reading.picture.channels);
    this.#every.hidden = seen.step === 1;
    setText(this.#every, fill(this.#texts.everyNth, seen.step));
    this.#card.show({
      ...{ picture, channels, hint: '', fixed: end !== null, end: end ?? (robustMax(picture.data) || 1) },
      ...(kind === 'signed' ? { kind } : { kind: 'image', range: ranges[kind] }),
      name: other ? `${names.value} − ${names.other}` : names.value,
    });
  }

  /** The picture that is seen, one pixel for each number. */
  png(): Promise<Uint8Array> {
    const { whole } = this.#card.view;
    const canvas = element('canvas', { width: whole.width, height: whole.height });
    canvas.getContext('2d')!.drawImage(whole, 0, 0);
    return toPng(canvas);
  }
}

/** A name for a file of a picture, whatever the array is called. */
export function fileNameOf(name: string): string {
  return `${name.replace(/[^\w.-]+/g, '-').slice(0, 100) || 'value'}.png`;
}
