/** What the page shows: its runs, the cursor, and how the person wants to see them. Views read it and listen to it. */

import type { ScoreTexts } from '../../backend/protocol/panels/heatmap-texts.ts';
import {
  type ChartSettings,
  firstPictures,
  followProbe,
  keepCharts,
  type MonitorState,
  monitorLive,
  monitorStateSchema,
  runChanged,
  runRemoved,
  runsChanged,
  shownRuns,
  showStopped,
  startAgain,
} from '../../backend/protocol/panels/monitor.ts';
import type { MonitorTexts } from '../../backend/protocol/panels/monitor-texts.ts';
import type { Axis } from '../shared/charts/axis.ts';
import { type Host, isCancelled, type Problem, problemOf } from '../shared/host.ts';
import { Topic } from '../shared/topic.ts';
import { axisOf } from './axes.ts';
import { type CursorRange, TimeCursor } from './cursor.ts';
import type { Drawing } from './data/run-curves.ts';
import { RunData } from './data/run-data.ts';
import { after, before, merged } from './data/steps.ts';

const fresh: MonitorState = {
  folders: [],
  focus: null,
  hidden: [],
  cursor: { mode: 'live', step: 0 },
  zoom: null,
  smoothing: 0,
  axis: 'step',
  table: { open: true, sort: null, filter: '', pinned: [], group: 'none' },
  logCharts: [],
  closedGroups: ['rate', 'speed', 'memory', 'schedule', 'other'],
  hiddenSeries: [],
  fields: { kind: 'probe', image: 0, channel: -1, scales: { difference: null, grad: null }, perLevel: false },
  pictures: firstPictures,
};

const saveMilliseconds = 200;
/** About as many as a chart has columns of pixels. */
const mostStretches = 1024;
const leastStretches = 128;

/** It may still bring news. */
export function isWorking(run: RunData): boolean {
  return ['queued', 'running', 'paused', 'stopping'].includes(run.record?.state ?? '');
}

export class Monitor {
  readonly host: Host;
  readonly texts: MonitorTexts;
  readonly scoreTexts: ScoreTexts;
  readonly cursor: TimeCursor;
  #state: MonitorState;
  #runs: RunData[] = [];
  #ready = false;
  #problem: Problem | null = null;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #probeOf: string | null = null;
  /** Settings of charts as the host has them. */
  #kept: string;

  /** Which runs there are, which are visible, which is in focus. */
  readonly onRuns = new Topic();
  /** Anything else of `state`. */
  readonly onView = new Topic();
  /** Another run is pointed at. */
  readonly onHighlight = new Topic();
  #highlighted: string | null = null;

  /** @param charts how charts were last looked at, in any monitor */
  constructor(host: Host, texts: MonitorTexts, scoreTexts: ScoreTexts, charts: ChartSettings | null) {
    this.host = host;
    this.texts = texts;
    this.scoreTexts = scoreTexts;
    this.#state = host.load(monitorStateSchema) ?? { ...fresh, ...charts };
    this.#kept = JSON.stringify(this.#charts());
    const { mode, step } = this.#state.cursor;
    this.cursor = new TimeCursor(() => this.#cursorRange(), mode, step);
    this.cursor.onMove.on(() => {
      this.#saveSoon();
      this.#followProbe();
    });
    host.on(runsChanged, ({ folders }) => this.#show(folders));
    host.on(startAgain, () => void this.start());
    host.on(showStopped, ({ folder, step }) => this.showStopped(folder, step));
    host.on(runChanged, (record) => this.run(record.folder)?.setRecord(record));
    host.on(runRemoved, ({ folder }) => this.run(folder)?.remove(texts.removed));
    host.on(monitorLive, ({ folder, event }) => this.run(folder)?.apply(event));
  }

  get state(): MonitorState {
    return this.#state;
  }

  get runs(): readonly RunData[] {
    return this.#runs;
  }

  /** Which runs there are is known. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Why it is not. */
  get problem(): Problem | null {
    return this.#problem;
  }

  get visibleRuns(): readonly RunData[] {
    return this.#runs.filter(({ folder }) => !this.#state.hidden.includes(folder));
  }

  /** The run that cursor and pictures are about. */
  get focus(): RunData | undefined {
    return this.run(this.#state.focus ?? '') ?? this.#runs[0];
  }

  run(folder: string): RunData | undefined {
    return this.#runs.find((run) => run.folder === folder);
  }

  /** From 0, by the order in which runs were added: a run keeps its colour. */
  place(run: RunData): number {
    return this.#runs.indexOf(run);
  }

  /** The folder of the run that is pointed at, in the table or in a chart. */
  get highlighted(): string | null {
    return this.#highlighted;
  }

  highlight(folder: string | null): void {
    const which = this.#runs.length > 1 ? folder : null;
    if (which === this.#highlighted) return;
    this.#highlighted = which;
    this.onHighlight.fire();
  }

  /** Where a run's steps lie on the axis of the charts. */
  axisOf(run: RunData): Axis {
    return axisOf(this.#state.axis, run.clock);
  }

  /** The cursor's place on the axis of the charts. */
  get cursorAt(): number {
    const { focus } = this;
    return focus ? this.axisOf(focus).at(this.cursor.step) : this.cursor.step;
  }

  /** Asks for everything anew. Never rejects: `problem` says why nothing is there. */
  async start(): Promise<void> {
    for (const run of this.#runs) run.dispose();
    this.#runs = [];
    this.#probeOf = null;
    try {
      const { folders, stopped } = await this.host.request(shownRuns, {});
      this.#problem = null;
      this.#ready = true;
      this.#show(folders);
      if (stopped) this.showStopped(stopped.folder, stopped.step);
    } catch (error) {
      if (isCancelled(error)) return;
      this.#problem = problemOf(error);
      this.onRuns.fire();
    }
  }

  change(change: Partial<MonitorState>): void {
    this.#state = { ...this.#state, ...change };
    this.#saveSoon();
    this.focus?.examine();
    if (change.smoothing !== undefined) for (const run of this.#runs) void run.redraw();
    (change.focus !== undefined || change.hidden ? this.onRuns : this.onView).fire();
  }

  /** Turns an entry of one of the state's lists on or off. */
  toggle(list: 'hidden' | 'logCharts' | 'closedGroups' | 'hiddenSeries', entry: string): void {
    const entries = this.#state[list];
    const without = entries.filter((other) => other !== entry);
    this.change({ [list]: without.length < entries.length ? without : [...entries, entry] });
  }

  /** Steps of the focused run that have samples or fields of the kind that is shown. */
  recordedSteps(): number[] {
    const run = this.focus;
    return run ? merged(run.recorded('samples'), run.recorded(this.#state.fields.kind)) : [];
  }

  #show(folders: readonly string[]): void {
    for (const run of this.#runs) if (!folders.includes(run.folder)) run.dispose();
    const known = new Map(this.#runs.map((run) => [run.folder, run]));
    // A step of one run, and what was hidden with it, means nothing in another.
    const { folders: before } = this.#state;
    if (before.length > 0 && !folders.some((folder) => before.includes(folder))) {
      this.change({ zoom: null, hidden: [] });
      this.cursor.follow();
    }
    this.#runs = folders.map((folder) => known.get(folder) ?? this.#add(folder));
    this.change({ folders: [...folders], focus: this.run(this.#state.focus ?? '')?.folder ?? folders[0] ?? null });
    for (const run of this.#runs) if (!known.has(run.folder)) void run.load();
    this.#followProbe();
  }

  /** The tensors of a step that was not committed, and the curves until there. */
  showStopped(folder: string, step: number): void {
    this.change({ focus: folder, zoom: null, fields: { ...this.#state.fields, kind: 'stop' } });
    this.cursor.pin(step);
  }

  #add(folder: string): RunData {
    const run = new RunData(this.host, folder, () => this.#drawing());
    const update = () => {
      if (run === this.focus) this.cursor.update();
    };
    run.onCurves.on(update);
    run.onRecorded.on(update);
    run.onRecord.on(() => this.#followProbe());
    return run;
  }

  /** The more runs, the fewer points of each: what is looked at closely is asked for. */
  #drawing(): Drawing {
    const stretches = Math.max(leastStretches, Math.floor(mostStretches / Math.ceil(this.#runs.length / 4 || 1)));
    return { stretches, smoothing: this.#state.smoothing };
  }

  /** The probe at every step costs the run time: only who follows it live asks for it. */
  #followProbe(): void {
    const { focus } = this;
    const wanted = this.cursor.mode === 'live' && focus && isWorking(focus) ? focus.folder : null;
    if (wanted === this.#probeOf) return;
    this.#probeOf = wanted;
    this.host.notify(followProbe, { folder: wanted });
  }

  #cursorRange(): CursorRange {
    const run = this.focus;
    const clock = run?.clock;
    const last = run?.lastStep ?? 0;
    return {
      first: Math.min(clock?.firstStep || 0, this.recordedSteps()[0] ?? last),
      last,
      over: run?.record !== undefined && !isWorking(run),
      neighbour: (step, direction) => {
        const at = clock === undefined ? -1 : direction > 0 ? clock.indexUpTo(step) + 1 : clock.indexFrom(step) - 1;
        const near = clock && at >= 0 && at < clock.length ? clock.step(at) : undefined;
        const recorded = (direction > 0 ? after : before)(this.recordedSteps(), step);
        if (near === undefined || recorded === undefined) return near ?? recorded;
        return direction > 0 ? Math.min(near, recorded) : Math.max(near, recorded);
      },
      recorded: (step, direction) => (direction > 0 ? after : before)(this.recordedSteps(), step),
    };
  }

  #saveSoon(): void {
    this.#saveTimer ??= setTimeout(() => {
      this.#saveTimer = undefined;
      const { mode, step } = this.cursor;
      this.#state = { ...this.#state, cursor: { mode, step } };
      this.host.save(this.#state);
      const charts = this.#charts();
      if (JSON.stringify(charts) === this.#kept) return;
      this.#kept = JSON.stringify(charts);
      this.host.notify(keepCharts, charts);
    }, saveMilliseconds);
  }

  #charts(): ChartSettings {
    const { smoothing, axis, logCharts, closedGroups, hiddenSeries } = this.#state;
    return { smoothing, axis, logCharts, closedGroups, hiddenSeries };
  }
}
