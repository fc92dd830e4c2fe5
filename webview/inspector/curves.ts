/** Curves over the noise level of one or two inspections: norms, the residual ratio, and how far both scores point the same way. */
import type { Inspection } from '../../backend/protocol/inspection.ts';
import type { InspectorTexts } from '../../backend/protocol/panels/inspector-texts.ts';
import { Plot } from '../shared/charts/plot.ts';
import { Series } from '../shared/charts/series.ts';
import type { Trace } from '../shared/charts/trace.ts';
import { lineColour, lineStroke, strokeBackground } from '../shared/colours.ts';
import { apply, element, fillWith, setText } from '../shared/dom.ts';
import { number } from '../shared/format.ts';
import { fill } from '../shared/initial.ts';
import { valuesOf } from './sets.ts';

export interface CurveSource {
  readonly title: string;
  readonly inspection: Inspection;
}

interface Chart {
  readonly id: string;
  readonly title: string;
  readonly log: boolean;
  readonly curves: readonly { readonly name: string; readonly title: string }[];
  readonly root: HTMLElement;
  readonly plot: Plot;
  readonly legend: HTMLElement;
}

const height = 150;

export class CurvesView {
  readonly root: HTMLElement;
  readonly #texts: InspectorTexts;
  readonly #charts: readonly Chart[];
  readonly #readout = element('p', { class: 'readout number muted', role: 'status' });
  #sources: readonly CurveSource[] = [];
  #hovered: number | null = null;

  /** @param choose the person wants to see the level, by its index */
  constructor(texts: InspectorTexts, choose: (level: number) => void) {
    this.#texts = texts;
    const norms = [
      { name: 'normReal', title: texts.curveReal },
      { name: 'normFake', title: texts.curveFake },
      { name: 'normDifference', title: texts.curveDifference },
      { name: 'normGrad', title: texts.curveGrad },
    ];
    const chart = (id: string, title: string, log: boolean, curves: Chart['curves']): Chart => {
      const legend = element('p', { class: 'legend small' });
      const plot = new Plot(
        {
          hover: (step) => this.#hover(step),
          leave: () => this.#hover(null),
          pin: (step) => choose(this.#nearest(step)),
          zoom: () => {},
          reset: () => {},
        },
        320,
        height,
      );
      const root = element(
        'figure',
        { class: 'curve', 'data-chart': id },
        element('figcaption', {}, title),
        plot.root,
        legend,
      );
      new ResizeObserver(() => root.clientWidth > 0 && plot.resize(root.clientWidth, height)).observe(root);
      return { id, title, log, curves, root, plot, legend };
    };
    this.#charts = [
      chart('norms', texts.chartNorms, true, norms),
      chart('ratio', texts.chartRatio, false, [{ name: 'residualRatio', title: texts.residualRatio }]),
      chart('cosine', texts.chartCosine, false, [{ name: 'cosine', title: texts.cosine }]),
    ];
    this.root = element(
      'div',
      { class: 'curves' },
      element('div', { class: 'curve-row' }, ...this.#charts.map(({ root }) => root)),
      this.#readout,
    );
  }

  /** @param sources of the same levels; the second is drawn dashed */
  show(sources: readonly CurveSource[]): void {
    this.#sources = sources;
    const levels = sources[0]?.inspection.levels ?? [];
    const steps = levels.map(({ index }) => index);
    for (const { plot, log, curves, legend, root, title } of this.#charts) {
      const traces = sources.flatMap(({ inspection, title: of }, second) =>
        curves.map(({ name, title: curve }, i): Trace => {
          const raw = new Series();
          raw.append(steps, valuesOf(inspection.strip, name) ?? []);
          const label = [curve, of].filter(Boolean).join(', ');
          return {
            id: `${name} ${second}`,
            label,
            name: label,
            raw,
            smooth: null,
            colour: lineColour(i),
            stroke: lineStroke(second),
          };
        }),
      );
      plot.draw({ traces, from: steps[0] ?? 0, to: steps.at(-1) ?? 1, log, stops: [] });
      const lines = traces.map(({ label, colour, stroke }) =>
        element(
          'span',
          {},
          element('span', { class: 'line', style: `background: ${strokeBackground(colour, stroke)}` }),
          label,
        ),
      );
      fillWith(legend, ...lines);
      const heard = traces.map(({ label, raw }) => {
        const values = Array.from({ length: raw.length }, (_, i) => number(raw.value(i), 3));
        return `${label}: ${values.join(', ')}`;
      });
      apply(root, { 'aria-label': [title, ...heard].join('. '), role: 'img' });
    }
    this.#hover(this.#hovered);
  }

  #hover(step: number | null): void {
    this.#hovered = step;
    const chosen = this.#sources[0]?.inspection.level.index ?? null;
    const index = step === null ? chosen : this.#nearest(step);
    for (const { plot } of this.#charts) plot.moveCursor(index);
    setText(this.#readout, step === null || index === null ? this.#texts.curvesHint : this.#words(index));
  }

  #words(index: number): string {
    const values = this.#sources.flatMap(({ inspection, title }) => {
      const at = inspection.levels.findIndex((level) => level.index === index);
      const one = ({ name, title: curve }: Chart['curves'][number]) =>
        `${[curve.length > 30 ? name : curve, title].filter(Boolean).join(' ')} ${number(valuesOf(inspection.strip, name)?.[at] ?? Number.NaN, 3)}`;
      return this.#charts.flatMap(({ curves }) => curves.map(one));
    });
    const sigma = this.#sources[0]?.inspection.levels.find((level) => level.index === index)?.sigma ?? Number.NaN;
    return [fill(this.#texts.atLevel, index, number(sigma, 3)), ...values].join(' · ');
  }

  #nearest(step: number): number {
    const levels = this.#sources[0]?.inspection.levels ?? [];
    const away = ({ index }: { index: number }) => Math.abs(index - step);
    return levels.reduce((best, level) => (away(level) < away(best) ? level : best), levels[0] ?? { index: 0 }).index;
  }
}
