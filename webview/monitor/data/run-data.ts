/**
 * What the page knows of one run: its record, its curves, and which steps have pictures and fields. Loaded whole, then kept
 * up to date by news.
 */
import { type MonitorEvent, openRun, readCurves, readHealth } from '../../../backend/protocol/panels/monitor.ts';
import type { FieldKindName, RunHealth, RunRecord } from '../../../backend/protocol/rpc/runs.ts';
import { Series } from '../../shared/charts/series.ts';
import { type Host, isCancelled, type Problem, problemOf } from '../../shared/host.ts';
import { Topic } from '../../shared/topic.ts';
import { groupTags } from '../charts/groups.ts';
import { merged } from './steps.ts';

/** Curves measured with the probe are not part of a step's news; they are asked for again at most this often. */
const probeCurvesMilliseconds = 1500;

/** What is recorded for health to be judged by, and verdicts. */
const judged = /^(vitals|health)[/]/;

export class RunData {
  readonly folder: string;
  readonly #host: Host;
  readonly #curves = new Map<string, Series>();
  #recorded: Record<FieldKindName | 'samples', number[]> = { samples: [], training: [], probe: [], stop: [] };
  #record: RunRecord | undefined;
  #warnings: string[] = [];
  #problem: Problem | null = null;
  #isRemoved = false;
  #loading: AbortController | null = null;
  #loaded = false;
  #waiting: MonitorEvent[] = [];
  #probeTimer: ReturnType<typeof setTimeout> | undefined;
  #health: RunHealth | null = null;
  #healthTimer: ReturnType<typeof setTimeout> | undefined;

  /** Its record, its problem, its warnings or its health are others. */
  readonly onRecord = new Topic();
  /** Its curves grew, or there are new ones. */
  readonly onCurves = new Topic();
  /** Steps were recorded, or given up. */
  readonly onRecorded = new Topic();
  /** It went back: what is kept of later steps is void. */
  readonly onRestart = new Topic();

  constructor(host: Host, folder: string) {
    this.#host = host;
    this.folder = folder;
  }

  get record(): RunRecord | undefined {
    return this.#record;
  }

  get name(): string {
    return this.#record?.name ?? this.folder.split(/[\\/]/).at(-1) ?? this.folder;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Null until it is known. */
  get health(): RunHealth | null {
    return this.#health;
  }

  /** Why it cannot be shown. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** All of its curves are there. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get tags(): string[] {
    return [...this.#curves.keys()];
  }

  curve(tag: string): Series | undefined {
    return this.#curves.get(tag);
  }

  /** Steps that have this, ascending. */
  recorded(what: FieldKindName | 'samples'): readonly number[] {
    return this.#recorded[what];
  }

  /** The curve with the most steps: what a step of the run is. */
  get clock(): Series | undefined {
    let longest: Series | undefined;
    for (const series of this.#curves.values()) if (series.length > (longest?.length ?? 0)) longest = series;
    return longest;
  }

  /** The newest step that anything is known of. */
  get lastStep(): number {
    const ends = Object.values(this.#recorded).map((steps) => steps.at(-1) ?? 0);
    return Math.max(0, ...ends, this.clock?.lastStep ?? 0);
  }

  /** Never rejects: a run that cannot be read says so in its place. */
  async load(): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#loaded = false;
    try {
      const overview = await this.#host.request(openRun, { folder: this.folder }, loading.signal);
      this.#problem = null;
      this.#warnings = overview.warnings;
      this.#recorded = { samples: [...overview.samples], ...copied(overview.fields) };
      this.setRecord(overview.record);
      this.onRecorded.fire();
      this.#curves.clear();
      // The first curves are seen while the others are still on their way.
      for (const { tags } of groupTags(overview.tags)) await this.#loadCurves(tags, loading.signal);
      this.#loaded = true;
      this.onCurves.fire();
      for (const event of this.#waiting.splice(0)) this.apply(event);
      await this.#loadHealth();
    } catch (error) {
      if (isCancelled(error)) return;
      this.#problem = problemOf(error);
      this.onRecord.fire();
    }
  }

  dispose(): void {
    this.#loading?.abort();
    clearTimeout(this.#probeTimer);
    clearTimeout(this.#healthTimer);
  }

  setRecord(record: RunRecord): void {
    this.#record = record;
    this.onRecord.fire();
    if (!this.#isRemoved) return;
    this.#isRemoved = false; // it is back, as after an undo
    void this.load();
  }

  /** Its folder is gone; what was read stays on the screen. */
  remove(message: string): void {
    this.#problem = { message, hint: '' };
    this.#isRemoved = true;
    this.onRecord.fire();
  }

  apply(event: MonitorEvent): void {
    if (event.type === 'restart') {
      this.onRestart.fire();
      this.#waiting = [];
      void this.load();
    } else if (!this.#loaded) this.#waiting.push(event);
    else if (event.type === 'curves') {
      this.#append(event.curves);
      if (event.curves.some(({ tag }) => judged.test(tag))) this.#healthSoon();
      this.onCurves.fire();
    } else if (event.type === 'recorded') {
      const gone = new Set(event.dropped);
      const kept = this.#recorded[event.kind].filter((step) => !gone.has(step));
      this.#recorded[event.kind] = merged(kept, [event.step]);
      if (event.kind === 'probe') this.#probeCurvesSoon();
      this.onRecorded.fire();
    } else if (event.type === 'note' && event.text.startsWith('health, ')) this.#healthSoon();
    else if (event.type === 'note' && event.level === 'warning') {
      this.#warnings = [...this.#warnings, event.text];
      this.onRecord.fire();
    }
  }

  async #loadCurves(tags: readonly string[], signal?: AbortSignal): Promise<void> {
    this.#append(await this.#host.request(readCurves, { folder: this.folder, tags: [...tags] }, signal));
    this.onCurves.fire();
  }

  #append(curves: readonly { tag: string; steps: Float64Array; values: Float64Array }[]): void {
    for (const { tag, steps, values } of curves) {
      const series = this.#curves.get(tag) ?? new Series();
      series.append(steps, values);
      if (series.length > 0) this.#curves.set(tag, series);
    }
  }

  #healthSoon(): void {
    this.#healthTimer ??= setTimeout(() => {
      this.#healthTimer = undefined;
      void this.#loadHealth();
    }, probeCurvesMilliseconds);
  }

  async #loadHealth(): Promise<void> {
    try {
      this.#health = await this.#host.request(readHealth, { folder: this.folder }, this.#loading?.signal);
      this.onRecord.fire();
    } catch {
      // The next number that counts asks again.
    }
  }

  #probeCurvesSoon(): void {
    this.#probeTimer ??= setTimeout(() => {
      this.#probeTimer = undefined;
      void this.#refreshProbeCurves();
    }, probeCurvesMilliseconds);
  }

  async #refreshProbeCurves(): Promise<void> {
    const signal = this.#loading?.signal;
    try {
      const { tags } = await this.#host.request(openRun, { folder: this.folder }, signal);
      await this.#loadCurves(
        tags.filter((tag) => tag.startsWith('probe/')),
        signal,
      );
    } catch {
      // The next recorded probe asks again.
    }
  }
}

function copied<K extends string>(lists: Record<K, readonly number[]>): Record<K, number[]> {
  return Object.fromEntries(
    Object.entries<readonly number[]>(lists).map(([key, steps]) => [key, [...steps]]),
  ) as Record<K, number[]>;
}
