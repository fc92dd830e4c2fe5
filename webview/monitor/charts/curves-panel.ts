/** All charts: in groups that can be folded, over the same steps; only what is on the screen is drawn. */
import type { AxisKind } from '../../shared/charts/axis.ts';
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import { isWorking, type Monitor } from '../monitor.ts';
import type { Card, ChartRange } from './card.ts';
import { ChartCard } from './chart-card.ts';
import { groupTags, planCharts } from './groups.ts';
import { HistogramCard } from './histogram-card.ts';
import { groupTitle } from './titles.ts';

/** Reach of the smoothing, in steps. */
const reaches = [0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
const axes: readonly AxisKind[] = ['step', 'relative', 'clock'];
/** After so long without a move the charts' texts are made anew. */
const describeMilliseconds = 400;
/** After so long without a move what is looked at is asked for in more detail. */
const askMilliseconds = 80;

export class CurvesPanel {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #groups = element('div', { class: 'groups' });
  readonly #empty = element('p', { class: 'empty muted', role: 'status' });
  readonly #reset: HTMLButtonElement;
  readonly #smoothing: HTMLSelectElement;
  readonly #cards = new Map<string, Card>();
  readonly #onScreen = new Set<Card>();
  readonly #observer: IntersectionObserver;
  readonly #drawSoon = beforeNextFrame(() => this.#draw());
  readonly #moveSoon = beforeNextFrame(() => this.#move());
  #layout = '';
  #describeTimer: ReturnType<typeof setTimeout> | undefined;
  #askTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #axis: HTMLSelectElement;
  readonly #search: HTMLInputElement;
  readonly #noMatch: HTMLElement;

  constructor(monitor: Monitor) {
    const { texts } = monitor;
    this.#monitor = monitor;
    this.#reset = element('button', { class: 'plain text', onclick: () => this.#zoom(null) }, texts.resetZoom);
    this.#smoothing = element(
      'select',
      {
        title: texts.smoothingHint,
        onchange: () => monitor.change({ smoothing: Number(this.#smoothing.value) }),
      },
      ...reaches.map((reach) =>
        element(
          'option',
          { value: reach },
          reach === 0 ? texts.smoothingOff : fill(texts.smoothingSteps, count(reach)),
        ),
      ),
    );
    const titles: Record<AxisKind, string> = {
      step: texts.axisStep,
      relative: texts.axisRelative,
      clock: texts.axisClock,
    };
    this.#axis = element(
      'select',
      { onchange: () => monitor.change({ axis: this.#axis.value as AxisKind, zoom: null }) },
      ...axes.map((kind) => element('option', { value: kind }, titles[kind])),
    );
    this.#search = element('input', {
      type: 'text',
      class: 'find-chart',
      placeholder: texts.findChart,
      'aria-label': texts.findChart,
      oninput: () => this.#find(),
    });
    this.#noMatch = element('p', { class: 'empty muted', role: 'status', hidden: true }, texts.noChartFound);
    const field = (title: string, control: HTMLElement) =>
      element('label', { class: 'field' }, element('span', { class: 'muted' }, title), control);
    this.root = element(
      'div',
      { class: 'curves' },
      element(
        'div',
        { class: 'bar' },
        field(texts.smoothing, this.#smoothing),
        field(texts.axisOver, this.#axis),
        this.#search,
        this.#reset,
      ),
      this.#empty,
      this.#noMatch,
      this.#groups,
    );
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: '120px' });
    monitor.onRuns.on(() => this.update());
    monitor.onView.on(() => this.#drawSoon());
    monitor.onHighlight.on(() => this.#drawSoon());
    monitor.cursor.onMove.on(() => this.#moveSoon());
    this.update();
  }

  /** Runs, or the curves that they have, are others. */
  update(): void {
    const { visibleRuns } = this.#monitor;
    const tags = [...new Set(visibleRuns.flatMap((run) => run.tags))];
    const histograms = this.#monitor.focus?.histograms ?? [];
    const layout = JSON.stringify([tags.sort(), histograms]);
    if (layout !== this.#layout) this.#rebuild(tags, histograms);
    this.#layout = layout;
    this.#drawSoon();
  }

  /** A run that was just added. */
  watch(run: RunData): void {
    run.onCurves.on(() => this.update());
    run.onRecord.on(() => this.update());
    run.onRecorded.on(() => this.#drawSoon());
    run.curves.onExact.on(() => this.#moveSoon());
  }

  /** Draws everything anew at once, e.g. in other colours. */
  redraw(): void {
    this.#drawSoon();
  }

  /** Nearer to or further from the cursor, for the keyboard. */
  zoomBy(factor: number): void {
    const { from, to } = this.#range();
    const at = Math.min(to, Math.max(from, this.#monitor.cursorAt));
    this.#zoom({ from: at - (at - from) * factor, to: at + (to - at) * factor });
  }

  resetZoom(): void {
    this.#zoom(null);
  }

  #rebuild(tags: readonly string[], histograms: readonly string[]): void {
    const { texts } = this.#monitor;
    const kept = new Map(this.#cards);
    this.#cards.clear();
    const use = (id: string, inIt: readonly string[], make: () => Card) => {
      const old = kept.get(id);
      const same = old && JSON.stringify(old.tags) === JSON.stringify(inIt);
      const card = same ? old : make();
      if (same) kept.delete(id);
      else this.#observer.observe(card.root);
      this.#cards.set(id, card);
      return card;
    };
    const sections = groupTags(tags).map((group) => {
      const cards = planCharts(group).map((plan) =>
        use(plan.id, plan.tags, () => new ChartCard(this.#monitor, plan, (range) => this.#zoom(range))),
      );
      return this.#section(group.id, groupTitle(texts, group.id), cards);
    });
    const spreads = histograms.map((tag) => use(`histogram ${tag}`, [], () => new HistogramCard(this.#monitor, tag)));
    if (spreads.length > 0) sections.push(this.#section('histograms', texts.groupHistograms, spreads));
    for (const card of kept.values()) {
      this.#observer.unobserve(card.root);
      this.#onScreen.delete(card);
      card.dispose();
    }
    fillWith(this.#groups, ...sections);
    this.#find();
  }

  /** Cards under a title, which can be folded. */
  #section(id: string, title: string, cards: readonly Card[]): HTMLDetailsElement {
    const isClosed = () => this.#monitor.state.closedGroups.includes(id);
    const section = element(
      'details',
      { class: 'group', open: !isClosed(), 'data-group': id },
      element('summary', {}, icon(icons.chevron), element('h2', {}, title)),
      element('div', { class: 'charts' }, ...cards.map((card) => card.root)),
    );
    section.addEventListener('toggle', () => {
      if (this.#search.value.trim() !== '') return; // the search opens them, and for now
      if (section.open === isClosed()) this.#monitor.toggle('closedGroups', id);
    });
    return section;
  }

  /** Shows the charts whose name has what is searched for, wherever they are. */
  #find(): void {
    const words = this.#search.value.trim().toLowerCase();
    const isFound = (card: Card) =>
      [card.title, card.id, ...card.tags].some((name) => name.toLowerCase().includes(words));
    let found = 0;
    for (const card of this.#cards.values()) {
      card.root.hidden = words !== '' && !isFound(card);
      if (!card.root.hidden) found++;
    }
    for (const section of this.#groups.querySelectorAll<HTMLDetailsElement>('details.group')) {
      const any = section.querySelector('.chart:not([hidden])') !== null;
      section.hidden = !any;
      section.open = words === '' ? !this.#monitor.state.closedGroups.includes(section.dataset.group ?? '') : any;
    }
    this.#noMatch.hidden = found > 0 || this.#cards.size === 0;
  }

  #seen(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const card = [...this.#cards.values()].find(({ root }) => root === target);
      if (!card) continue;
      if (isIntersecting) this.#onScreen.add(card);
      else this.#onScreen.delete(card);
    }
    this.#drawSoon();
  }

  #draw(): void {
    const { state } = this.#monitor;
    apply(this.#reset, { disabled: state.zoom === null });
    this.#smoothing.value = String(state.smoothing);
    this.#axis.value = state.axis;
    this.#showEmpty();
    const range = this.#range();
    for (const card of this.#onScreen) card.draw(range);
    this.#describeSoon();
    this.#askSoon();
  }

  #move(): void {
    for (const card of this.#onScreen) card.moveCursor();
    this.#describeSoon();
    this.#askSoon();
  }

  /** What is on the screen and not here in full: the curves nearer, and the numbers at the cursor. */
  #askSoon(): void {
    clearTimeout(this.#askTimer);
    this.#askTimer = setTimeout(() => {
      const { visibleRuns, cursorAt } = this.#monitor;
      const { from, to } = this.#range();
      const tags = [...this.#onScreen].flatMap((card) => card.tags);
      for (const run of visibleRuns) {
        const { step } = this.#monitor.axisOf(run);
        void run.curves.refine(tags, step(from), step(to));
        void run.curves.ask(tags, Math.max(0, Math.round(step(cursorAt))));
      }
    }, askMilliseconds);
  }

  #describeSoon(): void {
    clearTimeout(this.#describeTimer);
    this.#describeTimer = setTimeout(() => {
      for (const card of this.#onScreen) card.describe(this.#range());
    }, describeMilliseconds);
  }

  #showEmpty(): void {
    const { texts, runs } = this.#monitor;
    const empty = this.#cards.size === 0;
    this.#empty.hidden = !empty;
    if (!empty) return;
    const loading = runs.some((run) => !run.loaded && !run.problem);
    const text = loading ? texts.loading : runs.some(isWorking) ? texts.noCurvesRunning : texts.noCurves;
    setText(this.#empty, runs.some((run) => run.problem) && !loading ? '' : text);
  }

  #zoom(range: ChartRange | null): void {
    if (!range) {
      this.#monitor.change({ zoom: null });
      return;
    }
    const all = this.#all();
    const width = Math.max(1, Math.min(range.to - range.from, all.to - all.from));
    // What was dragged past an end stays at the end.
    const from = Math.min(Math.max(range.from, all.from), all.to - width);
    const whole = width >= all.to - all.from;
    this.#monitor.change({ zoom: whole ? null : [from, from + width] });
  }

  #range(): ChartRange {
    const { zoom } = this.#monitor.state;
    return zoom ? { from: zoom[0], to: zoom[1] } : this.#all();
  }

  /** From the first to the last step of any visible run; a step at which it was stopped has no curve, and counts. */
  #all(): ChartRange {
    let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const run of this.#monitor.visibleRuns) {
      const axis = this.#monitor.axisOf(run);
      const ends = run.tags.flatMap((tag) => [run.curve(tag)!.raw.firstStep, run.curve(tag)!.raw.lastStep]);
      if (run.tags.length > 0) ends.push(run.lastStep);
      const places = [Math.min(...ends), Math.max(...ends)].map(axis.at).filter(Number.isFinite);
      from = Math.min(from, ...places);
      to = Math.max(to, ...places);
    }
    if (!(from <= to)) return { from: 0, to: 1 };
    return from === to ? { from: from - 1, to: to + 1 } : { from, to };
  }
}
