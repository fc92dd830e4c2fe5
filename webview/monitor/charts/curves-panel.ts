/** All charts: in groups that can be folded, over the same steps; only what is on the screen is drawn. */
import { apply, element, fillWith, icon, setText } from '../../shared/dom.ts';
import { count } from '../../shared/format.ts';
import { beforeNextFrame } from '../../shared/frame.ts';
import { icons } from '../../shared/icons.ts';
import { fill } from '../../shared/initial.ts';
import type { RunData } from '../data/run-data.ts';
import { isWorking, type Monitor } from '../monitor.ts';
import { ChartCard, type ChartRange } from './chart-card.ts';
import { groupTags, planCharts } from './groups.ts';
import { groupTitle } from './titles.ts';

/** Reach of the smoothing, in steps. */
const reaches = [0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/** After so long without a move the charts' texts are made anew. */
const describeMilliseconds = 400;

export class CurvesPanel {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #groups = element('div', { class: 'groups' });
  readonly #empty = element('p', { class: 'empty muted', role: 'status' });
  readonly #reset: HTMLButtonElement;
  readonly #smoothing: HTMLSelectElement;
  readonly #cards = new Map<string, ChartCard>();
  readonly #onScreen = new Set<ChartCard>();
  readonly #observer: IntersectionObserver;
  readonly #drawSoon = beforeNextFrame(() => this.#draw());
  readonly #moveSoon = beforeNextFrame(() => this.#move());
  #layout = '';
  #describeTimer: ReturnType<typeof setTimeout> | undefined;

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
    this.root = element(
      'div',
      { class: 'curves' },
      element(
        'div',
        { class: 'bar' },
        element('label', { class: 'field' }, element('span', { class: 'muted' }, texts.smoothing), this.#smoothing),
        this.#reset,
      ),
      this.#empty,
      this.#groups,
    );
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: '120px' });
    monitor.onRuns.on(() => this.update());
    monitor.onView.on(() => this.#drawSoon());
    monitor.cursor.onMove.on(() => this.#moveSoon());
    this.update();
  }

  /** Runs, or the curves that they have, are others. */
  update(): void {
    const { visibleRuns } = this.#monitor;
    const tags = [...new Set(visibleRuns.flatMap((run) => run.tags))];
    const layout = JSON.stringify(tags.sort());
    if (layout !== this.#layout) this.#rebuild(tags);
    this.#layout = layout;
    this.#drawSoon();
  }

  /** A run that was just added. */
  watch(run: RunData): void {
    run.onCurves.on(() => this.update());
    run.onRecord.on(() => this.update());
    run.onRecorded.on(() => this.#drawSoon());
  }

  /** Draws everything anew at once, e.g. in other colours. */
  redraw(): void {
    this.#drawSoon();
  }

  /** Nearer to or further from the cursor, for the keyboard. */
  zoomBy(factor: number): void {
    const { from, to } = this.#range();
    const at = Math.min(to, Math.max(from, this.#monitor.cursor.step));
    this.#zoom({ from: at - (at - from) * factor, to: at + (to - at) * factor });
  }

  resetZoom(): void {
    this.#zoom(null);
  }

  #rebuild(tags: readonly string[]): void {
    const { texts } = this.#monitor;
    const kept = new Map(this.#cards);
    this.#cards.clear();
    const sections = groupTags(tags).map((group) => {
      const plans = planCharts(group);
      const cards = plans.map((plan) => {
        const old = kept.get(plan.id);
        const same = old && JSON.stringify(old.plan.tags) === JSON.stringify(plan.tags);
        const card = same ? old : new ChartCard(this.#monitor, plan, (range) => this.#zoom(range));
        if (same) kept.delete(plan.id);
        else this.#observer.observe(card.root);
        this.#cards.set(plan.id, card);
        return card;
      });
      const open = !this.#monitor.state.closedGroups.includes(group.id);
      const section = element(
        'details',
        { class: 'group', open },
        element('summary', {}, icon(icons.chevron), element('h2', {}, groupTitle(texts, group.id))),
        element('div', { class: 'charts' }, ...cards.map((card) => card.root)),
      );
      section.addEventListener('toggle', () => {
        const closed = this.#monitor.state.closedGroups.includes(group.id);
        if (section.open === closed) this.#monitor.toggle('closedGroups', group.id);
      });
      return section;
    });
    for (const card of kept.values()) {
      this.#observer.unobserve(card.root);
      this.#onScreen.delete(card);
      card.dispose();
    }
    fillWith(this.#groups, ...sections);
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
    this.#showEmpty();
    const range = this.#range();
    for (const card of this.#onScreen) card.draw(range);
    this.#describeSoon();
  }

  #move(): void {
    for (const card of this.#onScreen) card.moveCursor();
    this.#describeSoon();
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
      if (run.tags.length > 0) to = Math.max(to, run.lastStep);
      for (const tag of run.tags) {
        const series = run.curve(tag)!;
        from = Math.min(from, series.firstStep);
        to = Math.max(to, series.lastStep);
      }
    }
    if (!(from <= to)) return { from: 0, to: 1 };
    return from === to ? { from: from - 1, to: to + 1 } : { from, to };
  }
}
