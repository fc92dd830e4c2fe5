/** One chart with its title, its curves' values at the cursor, its switches, and its text for those who do not see it. */
import { savePng } from '../../../backend/protocol/panels/monitor.ts';
import { Plot } from '../../shared/charts/plot.ts';
import type { Trace } from '../../shared/charts/trace.ts';
import { lineColour, lineStroke, orderedColour, strokeBackground } from '../../shared/colours.ts';
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { count, number } from '../../shared/format.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import { Smoothed } from '../data/smoothing.ts';
import type { Monitor } from '../monitor.ts';
import { chartPicture } from './chart-picture.ts';
import type { ChartPlan } from './groups.ts';
import { summary } from './summary.ts';
import { chartTitle, curveTitle } from './titles.ts';

const height = 148;

export interface ChartRange {
  readonly from: number;
  readonly to: number;
}

export class ChartCard {
  readonly root: HTMLElement;
  readonly plan: ChartPlan;
  readonly #monitor: Monitor;
  readonly #plot: Plot;
  readonly #title: string;
  readonly #legend = element('div', { class: 'legend' });
  readonly #note = element('div', { class: 'note muted small', hidden: true });
  readonly #spoken = element('div', { class: 'spoken' });
  readonly #log: HTMLButtonElement;
  readonly #smoothed = new Map<string, { reach: number; smoothed: Smoothed; of: unknown }>();
  #values: { trace: Trace; value: HTMLElement }[] = [];
  #legendKey = '';
  #traces: Trace[] = [];

  /** @param range steps that all charts show */
  constructor(monitor: Monitor, plan: ChartPlan, zoom: (range: ChartRange | null) => void) {
    const { texts } = monitor;
    this.#monitor = monitor;
    this.plan = plan;
    this.#title = chartTitle(texts, plan);
    this.#plot = new Plot(
      {
        hover: (step) => monitor.cursor.hover(this.#snap(step)),
        leave: () => monitor.cursor.leave(),
        pin: (step) => monitor.cursor.pin(this.#snap(step)),
        zoom: (from, to) => zoom({ from, to }),
        reset: () => zoom(null),
      },
      320,
      height,
    );
    this.#log = element(
      'button',
      {
        ...{ class: 'plain text', title: texts.logScale, 'aria-label': `${texts.logScale}: ${this.#title}` },
        onclick: () => monitor.toggle('logCharts', plan.id),
      },
      'log',
    );
    const save = element('button', {
      class: 'plain',
      title: texts.savePng,
      'aria-label': `${texts.savePng}: ${this.#title}`,
      onclick: () => void this.#save(),
    });
    save.append(icon(icons.save));
    apply(this.#plot.root, { tabindex: 0, role: 'img', 'aria-label': this.#title, title: '' });
    this.root = element(
      'section',
      { class: 'chart', 'aria-label': this.#title, 'data-chart': plan.id },
      element('header', {}, element('h3', {}, this.#title), element('span', { class: 'tools' }, this.#log, save)),
      this.#plot.root,
      this.#legend,
      this.#note,
      this.#spoken,
    );
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.#plot.resize(width, height);
    }).observe(this.root);
  }

  draw({ from, to }: ChartRange): void {
    const { state, runs, texts } = this.#monitor;
    const log = state.logCharts.includes(this.plan.id);
    this.#traces = this.#collect();
    const shown = this.#traces.filter(({ id }) => !this.#hidden(id));
    const stops = runs.flatMap((run) => run.recorded('stop'));
    this.#plot.draw({ traces: shown, from, to, log, stops });
    apply(this.#log, { 'aria-pressed': String(log) });
    const negative = log && shown.some(({ raw }) => raw.extent().min <= 0);
    const stopped = stops.length > 0 ? fill(texts.stoppedAt, stops.map(count).join(', ')) : '';
    this.#note.hidden = !negative && stopped === '';
    setText(this.#note, [negative ? texts.logHidesNegative : '', stopped].filter(Boolean).join(' '));
    this.#fillLegend();
    this.moveCursor();
  }

  moveCursor(): void {
    const { step } = this.#monitor.cursor;
    this.#plot.moveCursor(step);
    for (const { trace, value } of this.#values) {
      const index = trace.raw.indexUpTo(step);
      const at = index >= 0 ? trace.raw.step(index) : step;
      const text = index < 0 ? '–' : number(trace.raw.value(index));
      // A value from an earlier step says so.
      setText(value, at === step ? text : `${text} @${count(at)}`);
    }
  }

  /** For those who hear it: too long to be made at every move. */
  describe({ from, to }: ChartRange): void {
    const { texts, cursor } = this.#monitor;
    const shown = this.#traces.filter(({ id }) => !this.#hidden(id));
    const lines = shown.map((trace) => summary(texts, trace, cursor.step, from, to));
    const text = lines.length > 0 ? lines.join(' ') : texts.chartEmpty;
    apply(this.#plot.root, { 'aria-label': `${this.#title}. ${text}` });
    setText(this.#spoken, texts.chartHint);
  }

  dispose(): void {
    this.#plot.dispose();
    this.root.remove();
  }

  #collect(): Trace[] {
    const { texts, state, visibleRuns, runs } = this.#monitor;
    const { tags } = this.plan;
    const several = runs.length > 1;
    const ordered = tags.every((tag) => tag.startsWith('probe/'));
    return visibleRuns.flatMap((run) =>
      tags.flatMap((tag, i) => {
        const raw = run.curve(tag);
        if (!raw) return [];
        const place = this.#monitor.place(run);
        const own = tags.length > 1 ? curveTitle(texts, tag) : '';
        const title = own || this.#title;
        const colour =
          tags.length > 1 && ordered ? orderedColour(i, tags.length) : lineColour(tags.length > 1 ? i : place);
        return {
          id: `${run.folder}\n${tag}`,
          label: own || (several ? run.name : ''),
          name: several ? `${title}, ${run.name}` : title,
          raw,
          smooth: state.smoothing > 0 ? this.#smooth(`${run.folder}\n${tag}`, raw, state.smoothing) : null,
          colour,
          stroke: lineStroke(place),
        };
      }),
    );
  }

  #smooth(id: string, raw: Trace['raw'], reach: number) {
    const kept = this.#smoothed.get(id);
    if (kept?.reach === reach && kept.of === raw) return kept.smoothed.series();
    const smoothed = new Smoothed(raw, reach);
    this.#smoothed.set(id, { reach, smoothed, of: raw });
    return smoothed.series();
  }

  /** One entry per curve: its stroke, its name, its value; a click shows or hides it. Of many curves, a row per tag. */
  #fillLegend(): void {
    const { runs } = this.#monitor;
    const key = JSON.stringify(
      this.#traces.map((trace) => [trace.id, trace.label, trace.colour, this.#hidden(trace.id)]),
    );
    const same = key === this.#legendKey && this.#values.every(({ trace }, i) => trace.raw === this.#traces[i]?.raw);
    if (same) return;
    this.#legendKey = key;
    this.#values = this.#traces.map((trace) => ({ trace, value: element('span', { class: 'number' }) }));
    const table = this.plan.tags.length > 1 && runs.length > 1;
    const labels = [...new Set(this.#traces.map(({ label }) => label))];
    const entries = (label: string) => this.#values.filter(({ trace }) => trace.label === label);
    fillWith(
      this.#legend,
      ...(table
        ? labels.map((label) =>
            element(
              'div',
              { class: 'legend-row' },
              element('span', { class: 'muted small' }, label),
              ...entries(label).map((entry) => this.#entry(entry, false)),
            ),
          )
        : this.#values.map((entry) => this.#entry(entry, true))),
    );
  }

  #entry({ trace, value }: { trace: Trace; value: HTMLElement }, named: boolean): HTMLElement {
    const swatch = element('span', { class: 'swatch' });
    swatch.style.background = strokeBackground(trace.colour, trace.stroke);
    return element(
      'button',
      {
        class: 'plain series',
        title: fill(this.#monitor.texts.hideSeries, trace.name),
        'aria-pressed': String(!this.#hidden(trace.id)),
        onclick: () => this.#monitor.toggle('hiddenSeries', trace.id),
      },
      swatch,
      named && trace.label !== '' && element('span', { class: 'label' }, trace.label),
      value,
    );
  }

  #hidden(id: string): boolean {
    return this.#monitor.state.hiddenSeries.includes(id);
  }

  /** The nearest step at which one of these curves has a value. */
  #snap(step: number): number {
    let best = Number.NaN;
    for (const { raw } of this.#traces) {
      const index = raw.nearest(step);
      if (index < 0) continue;
      const at = raw.step(index);
      if (Number.isNaN(best) || Math.abs(at - step) < Math.abs(best - step)) best = at;
    }
    return Number.isNaN(best) ? Math.max(0, Math.round(step)) : best;
  }

  async #save(): Promise<void> {
    const { host, cursor, texts } = this.#monitor;
    const lines = this.#values
      .filter(({ trace }) => !this.#hidden(trace.id))
      .map(({ trace, value }) => ({ ...trace, value: value.textContent ?? '' }));
    const title = `${this.#title} · ${fill(texts.atStep, count(cursor.step))}`;
    const png = await chartPicture(this.#plot.canvas, title, lines);
    await host.request(savePng, { name: `${this.plan.id.replaceAll(/[^\w-]+/g, '-')}.png`, png });
  }
}
