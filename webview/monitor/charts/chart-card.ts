/** One chart with its title, its curves' values at the cursor, its switches, and its text for those who do not see it. */
import { savePng } from '../../../backend/protocol/panels/monitor.ts';
import { Plot } from '../../shared/charts/plot.ts';
import { lineColour, lineStroke, orderedColour, shadedColour } from '../../shared/colours.ts';
import { apply, element, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import type { Monitor } from '../monitor.ts';
import { better } from './best.ts';
import type { Card, ChartRange } from './card.ts';
import { chartPicture } from './chart-picture.ts';
import type { ChartPlan } from './groups.ts';
import { type ChartTrace, Legend } from './legend.ts';
import { summary } from './summary.ts';
import { chartTitle, curveTitle, groupTitle } from './titles.ts';

const height = 148;

/** Of more runs than this, the numbers of two are told: the one in focus, and the one that is pointed at. */
const mostTold = 3;

export class ChartCard implements Card {
  readonly root: HTMLElement;
  readonly id: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly #plan: ChartPlan;
  readonly #monitor: Monitor;
  readonly #plot: Plot;
  readonly #legend: Legend;
  readonly #note = element('div', { class: 'note muted small', hidden: true });
  readonly #spoken = element('div', { class: 'spoken' });
  readonly #log: HTMLButtonElement;
  /** All of them, and those whose numbers are told. */
  #traces: ChartTrace[] = [];
  #told: ChartTrace[] = [];

  /** @param zoom what all charts are to show; null: everything */
  constructor(monitor: Monitor, plan: ChartPlan, zoom: (range: ChartRange | null) => void) {
    const { texts } = monitor;
    this.#monitor = monitor;
    this.#plan = plan;
    this.id = plan.id;
    this.tags = plan.tags;
    this.title = chartTitle(texts, plan);
    this.#legend = new Legend(monitor, plan.tags.length > 1);
    this.#plot = new Plot(
      {
        hover: (at) => monitor.cursor.hover(this.#snap(at)),
        near: (trace) => monitor.highlight(trace ? this.#runOf(trace.id) : null),
        leave: () => monitor.cursor.leave(),
        pin: (at) => monitor.cursor.pin(this.#snap(at)),
        zoom: (from, to) => zoom({ from, to }),
        reset: () => zoom(null),
      },
      320,
      height,
    );
    this.#log = element(
      'button',
      {
        class: 'plain text',
        title: texts.logScale,
        // Two groups may have charts of one name.
        'aria-label': `${texts.logScale}: ${groupTitle(texts, plan.group)}, ${this.title}`,
        onclick: () => monitor.toggle('logCharts', plan.id),
      },
      'log',
    );
    const save = element('button', {
      class: 'plain',
      title: texts.savePng,
      'aria-label': `${texts.savePng}: ${this.title}`,
      onclick: () => void this.#save(),
    });
    save.append(icon(icons.save));
    apply(this.#plot.root, { tabindex: 0, role: 'img', 'aria-label': this.title, title: '' });
    this.root = element(
      'section',
      { class: 'chart', 'aria-label': this.title, 'data-chart': plan.id },
      element('header', {}, element('h3', {}, this.title), element('span', { class: 'tools' }, this.#log, save)),
      this.#plot.root,
      this.#legend.root,
      this.#note,
      this.#spoken,
    );
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.#plot.resize(width, height);
    }).observe(this.root);
  }

  draw({ from, to }: ChartRange): void {
    const { state, visibleRuns, texts } = this.#monitor;
    const log = state.logCharts.includes(this.#plan.id);
    this.#traces = this.#collect({ from, to });
    const shown = this.#traces.filter(({ tag }) => !this.#hidden(tag));
    const stops = visibleRuns.flatMap((run) => run.recorded('stop'));
    const places = (steps: (run: RunData) => readonly number[]) =>
      visibleRuns.flatMap((run) => steps(run).map((step) => this.#monitor.axisOf(run).at(step)));
    this.#plot.draw({
      ...{ traces: shown, from, to, log, axis: state.axis },
      stops: places((run) => run.recorded('stop')),
      kept: places((run) => (run === this.#monitor.focus ? run.recorded('checkpoint') : [])),
    });
    apply(this.#log, { 'aria-pressed': String(log) });
    const negative = log && shown.some(({ raw }) => raw.extent().min <= 0);
    const stopped = stops.length > 0 ? fill(texts.stoppedAt, stops.map(count).join(', ')) : '';
    this.#note.hidden = !negative && stopped === '';
    setText(this.#note, [negative ? texts.logHidesNegative : '', stopped].filter(Boolean).join(' '));
    const labels = new Map(this.#plan.tags.map((tag) => [tag, this.#label(tag)]));
    this.#legend.fill(this.#told, labels);
    this.moveCursor();
  }

  moveCursor(): void {
    const at = this.#monitor.cursorAt;
    this.#plot.moveCursor(at);
    this.#legend.moveTo(at);
  }

  /** For those who hear it: too long to be made at every move. */
  describe({ from, to }: ChartRange): void {
    const { texts, cursorAt } = this.#monitor;
    const shown = this.#told.filter(({ tag }) => !this.#hidden(tag));
    const lines = shown.map((trace) => {
      const { step } = trace.axis!;
      return summary(texts, trace, step(cursorAt), step(from), step(to));
    });
    const text = lines.length > 0 ? lines.join(' ') : texts.chartEmpty;
    apply(this.#plot.root, { 'aria-label': `${this.title}. ${text}` });
    setText(this.#spoken, texts.chartHint);
  }

  dispose(): void {
    this.#plot.dispose();
    this.root.remove();
  }

  #collect({ from, to }: ChartRange): ChartTrace[] {
    const { visibleRuns, runs, highlighted } = this.#monitor;
    const { tags } = this.#plan;
    const several = runs.length > 1;
    const told = this.#toldRuns(visibleRuns);
    const traces = visibleRuns.flatMap((run) => {
      const axis = this.#monitor.axisOf(run);
      const [first, last] = [axis.step(from), axis.step(to)];
      return tags.flatMap((tag, i): ChartTrace[] => {
        const curve = run.curve(tag);
        if (!curve || Number.isNaN(first)) return [];
        const label = this.#label(tag);
        const which = better(tag);
        return [
          {
            ...{ run, tag, axis, label, ...curve.over(first, last) },
            id: `${run.folder}\n${tag}`,
            name: several ? `${label}, ${run.name}` : label,
            colour: this.#colour(run, i),
            stroke: several ? lineStroke(this.#monitor.place(run)) : [],
            dim: highlighted !== null && highlighted !== run.folder,
            dotted: told.includes(run),
            best: which && told.includes(run) ? curve.best(which) : null,
          },
        ];
      });
    });
    this.#told = traces.filter(({ run }) => told.includes(run));
    return traces;
  }

  #toldRuns(visible: readonly RunData[]): readonly RunData[] {
    const { focus, highlighted } = this.#monitor;
    if (visible.length <= mostTold) return visible;
    return visible.filter((run) => run === focus || run.folder === highlighted);
  }

  /** By the run where there are several, and then by shades of its colour. */
  #colour(run: RunData, i: number): string {
    const { tags } = this.#plan;
    const place = this.#monitor.place(run);
    if (this.#monitor.runs.length > 1) return shadedColour(place, i, tags.length);
    if (tags.length === 1) return lineColour(place);
    return tags.every((tag) => tag.startsWith('probe/')) ? orderedColour(i, tags.length) : lineColour(i);
  }

  #label(tag: string): string {
    const { texts, focus } = this.#monitor;
    return this.#plan.tags.length > 1 ? curveTitle(texts, tag, (level) => focus?.sigmaOf(level) ?? null) : this.title;
  }

  #runOf(id: string): string {
    return id.split('\n')[0]!;
  }

  #hidden(tag: string): boolean {
    return this.#monitor.state.hiddenSeries.includes(tag);
  }

  /** The step of the run in focus that is nearest to a place of the axis; over steps, the nearest with a value of any run. */
  #snap(at: number): number {
    const { state, focus } = this.#monitor;
    const step = focus ? this.#monitor.axisOf(focus).step(at) : at;
    const traces = state.axis === 'step' ? this.#traces : this.#traces.filter(({ run }) => run === focus);
    let best = Number.NaN;
    for (const { raw } of traces) {
      const index = raw.nearest(step);
      if (index < 0) continue;
      const near = raw.step(index);
      if (Number.isNaN(best) || Math.abs(near - step) < Math.abs(best - step)) best = near;
    }
    return Number.isNaN(best) ? Math.max(0, Math.round(step)) || 0 : best;
  }

  async #save(): Promise<void> {
    const { host, cursor, texts } = this.#monitor;
    const title = `${this.title} · ${fill(texts.atStep, count(cursor.step))}`;
    const png = await chartPicture(this.#plot.canvas, title, this.#legend.lines());
    await host.request(savePng, { name: `${this.#plan.id.replaceAll(/[^\w-]+/g, '-')}.png`, png });
  }
}
