/** Where one of the samples comes from: its prompt or class, the seed of its noise and the checkpoint, with the way to its scores. */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import type { Captions } from '../../../backend/protocol/rpc/runs.ts';
import { element, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import { atOrBefore } from '../data/steps.ts';
import { options } from './sides.ts';

export class SampleOrigin {
  readonly root: HTMLElement;
  readonly #texts: MonitorTexts;
  readonly #choice: HTMLSelectElement;
  readonly #of = element('span', { class: 'of' });
  readonly #noise = element('span', { class: 'muted number' });
  readonly #checkpoint = element('span', { class: 'muted' });
  #content: { readonly captions: Captions; readonly step: number } | null = null;

  /** @param inspect opens the scores of a sample, by its number from 0 */
  constructor(texts: MonitorTexts, inspect: (sample: number) => void) {
    this.#texts = texts;
    this.#choice = element('select', { 'aria-label': texts.sampleChoice, onchange: () => this.#update() });
    const open = element(
      'button',
      { class: 'plain text', title: texts.inspectHere, onclick: () => inspect(Number(this.#choice.value)) },
      ...[icon(icons.inspect), texts.inspectHere],
    );
    this.root = element(
      'div',
      { class: 'origin', role: 'group', 'aria-label': texts.sampleOrigin, hidden: true },
      ...[this.#choice, this.#of, this.#noise, this.#checkpoint, open],
    );
  }

  /** @param samples how many there are. @param step that they are of; null hides this */
  show(captions: Captions | undefined, samples: number, step: number | null): void {
    this.root.hidden = !captions || samples === 0 || step === null;
    if (!captions || step === null) return;
    this.#content = { captions, step };
    const names = Array.from({ length: samples }, (_, i): [string, string] => [
      String(i),
      fill(this.#texts.sampleNumber, i + 1),
    ]);
    options(this.#choice, names);
    if (this.#choice.value === '') this.#choice.value = '0';
    this.#update();
  }

  #update(): void {
    const { captions, step } = this.#content!;
    const texts = this.#texts;
    const sample = Number(this.#choice.value);
    setText(this.#of, captions.samples[sample] ?? '');
    setText(this.#noise, fill(texts.sampleNoise, captions.seed, sample + 1));
    const checkpoint = atOrBefore(captions.checkpoints, step);
    setText(this.#checkpoint, checkpoint === undefined ? texts.noCheckpoint : this.#near(checkpoint, step));
  }

  #near(checkpoint: number, step: number): string {
    const { checkpointHere, checkpointNear } = this.#texts;
    return fill(checkpoint === step ? checkpointHere : checkpointNear, count(checkpoint));
  }
}
