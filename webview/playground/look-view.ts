/** What is shown: noise level and layers; and what there is to see, in numbers and in words. */

import { element, setText } from '../shared/dom.ts';
import { number } from '../shared/format.ts';
import { fill } from '../shared/initial.ts';
import { labelled } from './fields.ts';
import { middlesOf } from './frame.ts';
import { noiseAt, noisePart, sliderEnds } from './noise.ts';
import type { Playground } from './playground.ts';
import { colours, type Layers } from './scene.ts';
import { section } from './settings-view.ts';
import { coarse, networkScore, relativeError, summaryOf, type Verdict, verdictOf } from './summary.ts';

/** Steps of the slider, which is logarithmic. */
const sliderSteps = 200;

export class LookView {
  readonly root: HTMLElement;
  readonly #playground: Playground;
  readonly #sigma: HTMLInputElement;
  readonly #value = element('output', { class: 'number', 'data-testid': 'sigma' });
  readonly #range = element('p', { class: 'muted small' });
  readonly #boxes: readonly (readonly [keyof Layers, HTMLInputElement])[];
  readonly #swatches: readonly (readonly [HTMLElement, () => string])[];
  readonly #verdict = element('p', { class: 'verdict', role: 'status', 'data-testid': 'verdict' });
  readonly #facts = element('div', { class: 'small', 'data-testid': 'facts' });
  readonly #explained = element('p', { class: 'muted small' });

  constructor(playground: Playground) {
    this.#playground = playground;
    const { texts } = playground;
    this.#sigma = element('input', {
      ...{ type: 'range', min: 0, max: sliderSteps, step: 1, 'data-testid': 'noise' },
      oninput: () => playground.look({ sigma: noiseAt(Number(this.#sigma.value) / sliderSteps) }),
    });
    const layers: [keyof Layers, string, (() => string) | null][] = [
      ['samples', texts.layerSamples, colours.samples],
      ['densities', texts.layerDensities, null],
      ['real', texts.layerReal, colours.data],
      ['fake', texts.layerFake, colours.samples],
      ['difference', texts.layerDifference, colours.difference],
      ['exact', texts.layerExact, null],
    ];
    const swatches: [HTMLElement, () => string][] = [];
    const rows = layers.map(([name, text, colour]) => {
      const box = element('input', {
        ...{ type: 'checkbox', 'data-layer': name },
        onchange: () => playground.look({ layers: { [name]: box.checked } }),
      });
      const swatch = element('span', { class: 'swatch', 'aria-hidden': 'true' });
      if (colour) swatches.push([swatch, colour]);
      return { name, box, row: element('label', { class: 'option' }, box, text, colour ? swatch : null) };
    });
    this.#swatches = swatches;
    this.#boxes = rows.map(({ name, box }) => [name, box] as const);
    this.root = element(
      'div',
      { class: 'settings' },
      section(
        texts.lookTitle,
        element('div', { class: 'noise' }, labelled(texts.sigma, this.#sigma), this.#value),
        this.#range,
        ...rows.map(({ row }) => row),
        element('p', { class: 'muted small' }, texts.explainNoise),
      ),
      section(texts.seeTitle, this.#verdict, this.#facts, this.#explained),
    );
  }

  /** @returns the verdict in words, '' without samples */
  update(): string {
    const { sigma, layers, settings, texts } = this.#playground;
    this.#sigma.value = String(Math.round(noisePart(sigma) * sliderSteps));
    const shownSigma = number(sigma, 3);
    this.#sigma.setAttribute('aria-valuetext', shownSigma);
    setText(this.#value, shownSigma);
    setText(this.#range, fill(texts.sigmaHint, sliderEnds.lowest, number(settings.losses.sigmaMax, 3)));
    for (const [name, box] of this.#boxes) box.checked = layers[name];
    for (const [swatch, colour] of this.#swatches) swatch.style.backgroundColor = colour();
    const explained = {
      real: texts.explainReal,
      difference: texts.explainDifference,
      regression: texts.explainRegression,
    };
    setText(this.#explained, explained[settings.losses.loss]);
    return this.#showFacts();
  }

  #showFacts(): string {
    const { shot, settings, texts } = this.#playground;
    this.#verdict.dataset.verdict = '';
    if (!shot) {
      setText(this.#verdict, '');
      this.#facts.replaceChildren();
      return '';
    }
    const { reading, frame, columns, rows, shade } = shot;
    const summary = summaryOf(reading.samples, settings.target);
    const verdict = verdictOf(summary);
    const words: Record<Verdict, string> = {
      ...{ peak: texts.seePeak, one: texts.seeOne, all: texts.seeAll, none: texts.seeNone },
      some: fill(texts.seeSome, summary.covered, summary.modes),
    };
    this.#verdict.dataset.verdict = verdict;
    setText(this.#verdict, words[verdict]);
    const percent = (value: number) => `${number(100 * value, 3)} %`;
    const middles = middlesOf(frame, columns, rows);
    const facts = [fill(texts.near, percent(summary.near), summary.covered, summary.modes)];
    if (Number.isFinite(summary.spread)) facts.push(fill(texts.spread, number(summary.spread, 2)));
    if (shade > 0 && reading.densityFake.length > 0) {
      const where = (density: Float32Array) => coarse(density, columns, shade);
      const real = networkScore(reading.muReal, middles, reading.sigma);
      facts.push(fill(texts.realError, percent(relativeError(real, reading.scoreReal, where(reading.densityReal)))));
      const fake = reading.muFake && networkScore(reading.muFake, middles, reading.sigma);
      facts.push(
        fake
          ? fill(
              texts.fakeError,
              percent(relativeError(fake, reading.scoreFake, where(reading.densityFake))),
              reading.samples.length / 2,
            )
          : texts.noFake,
      );
    }
    this.#facts.replaceChildren(...facts.map((fact) => element('p', {}, fact)));
    return words[verdict];
  }
}
