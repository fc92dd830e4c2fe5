/**
 * The numbers of a chart at the cursor. Which run has which colour is said once, in the table of runs: here the run in focus and the
 * one that is pointed at have theirs, a row per curve.
 */
import type { Trace } from '../../shared/charts/trace.ts';
import { strokeBackground } from '../../shared/colours.ts';
import { apply, element, fillWith, setText } from '../../shared/dom.ts';
import { count, number } from '../../shared/format.ts';
import { fill } from '../../shared/initial.ts';
import type { Point } from '../data/run-curves.ts';
import type { RunData } from '../data/run-data.ts';
import type { Monitor } from '../monitor.ts';
import { better } from './best.ts';

/** A curve of a chart, and whose it is. */
export interface ChartTrace extends Trace {
  readonly run: RunData;
  readonly tag: string;
}

interface Entry {
  readonly trace: ChartTrace;
  readonly value: HTMLElement;
  readonly mean: HTMLElement;
  readonly best: HTMLElement;
}

export class Legend {
  readonly root = element('div', { class: 'legend' });
  readonly #monitor: Monitor;
  /** Several curves in the chart, which can be switched off. */
  readonly #several: boolean;
  #entries: Entry[] = [];
  #key = '';

  constructor(monitor: Monitor, several: boolean) {
    this.#monitor = monitor;
    this.#several = several;
  }

  /** @param traces those whose numbers are told, the hidden ones among them */
  fill(traces: readonly ChartTrace[], labels: ReadonlyMap<string, string>): void {
    const { hiddenSeries } = this.#monitor.state;
    const key = JSON.stringify([
      traces.map(({ id, colour, run }) => [id, colour, run.name]),
      hiddenSeries.filter((tag) => labels.has(tag)),
      [...labels],
    ]);
    if (key !== this.#key) this.#make(traces, labels);
    else this.#entries = this.#entries.map((entry, i) => ({ ...entry, trace: traces[i]! }));
    this.#key = key;
  }

  /** @param at place of the axis */
  moveTo(at: number): void {
    const { texts } = this.#monitor;
    const first = bestOf(this.#entries);
    for (const entry of this.#entries) {
      const { trace, value, mean, best } = entry;
      const step = trace.axis!.step(at);
      const point = trace.run.curves.at(trace.tag, step);
      setText(value, valueText(point, step));
      const index = trace.smooth?.indexUpTo(step) ?? -1;
      setText(mean, index < 0 ? '' : fill(texts.meanValue, number(trace.smooth!.value(index))));
      setText(best, trace.best ? fill(texts.bestValue, number(trace.best.value), count(trace.best.step)) : '');
      best.classList.toggle('first', entry === first);
      best.title = entry === first ? texts.bestOfChart : '';
    }
  }

  /** What the lines of a saved picture are. */
  lines(): { name: string; colour: string; stroke: readonly number[]; value: string }[] {
    return this.#entries
      .filter(({ trace }) => !this.#isHidden(trace.tag))
      .map(({ trace, value }) => ({ ...trace, value: value.textContent ?? '' }));
  }

  #make(traces: readonly ChartTrace[], labels: ReadonlyMap<string, string>): void {
    const part = (name: string) => element('span', { class: name });
    this.#entries = traces.map((trace) => ({
      trace,
      value: part('number'),
      mean: part('mean muted'),
      best: part('best muted'),
    }));
    const rows = [...labels].map(([tag, label]) => {
      const own = this.#entries.filter(({ trace }) => trace.tag === tag);
      return element(
        'div',
        { class: 'legend-row' },
        this.#several && this.#switch(tag, label),
        ...own.map((entry) => this.#entry(entry)),
      );
    });
    fillWith(this.root, ...rows);
  }

  #switch(tag: string, label: string): HTMLElement {
    return element(
      'button',
      {
        class: 'plain series-switch',
        title: fill(this.#monitor.texts.hideSeries, label),
        'aria-pressed': String(!this.#isHidden(tag)),
        onclick: () => this.#monitor.toggle('hiddenSeries', tag),
      },
      label,
    );
  }

  #entry({ trace, value, mean, best }: Entry): HTMLElement {
    const swatch = element('span', { class: 'swatch' });
    swatch.style.background = strokeBackground(trace.colour, trace.stroke);
    const entry = element('span', { class: 'series', title: trace.name }, swatch, value, mean, best);
    apply(entry, { 'data-run-of': trace.run.folder });
    return entry;
  }

  #isHidden(tag: string): boolean {
    return this.#monitor.state.hiddenSeries.includes(tag);
  }
}

/** Of several curves of one measure the one that came to the best value; undefined where nobody can say. */
function bestOf(entries: readonly Entry[]): Entry | undefined {
  const known = entries.filter(({ trace }) => trace.best);
  if (known.length < 2) return undefined;
  const sign = better(known[0]!.trace.tag) === 'greatest' ? -1 : 1;
  return known.reduce((first, entry) =>
    sign * entry.trace.best!.value < sign * first.trace.best!.value ? entry : first,
  );
}

/** A value of an earlier step says so. */
function valueText(point: Point | undefined, step: number): string {
  if (!point) return '–';
  return point.step === step ? number(point.value) : `${number(point.value)} @${count(point.step)}`;
}
