/**
 * What the page knows of one run: its record, its curves in as many points as show, and which steps have pictures and fields. Kept
 * up to date by news; what is looked at more closely is asked for.
 */
import { type MonitorEvent, openRun, readHealth } from '../../../backend/protocol/panels/monitor.ts';
import type { FieldKindName, RunHealth, RunRecord } from '../../../backend/protocol/rpc/runs.ts';
import { type Host, isCancelled, type Problem, problemOf } from '../../shared/host.ts';
import { Topic } from '../../shared/topic.ts';
import type { Clock } from './clock.ts';
import type { Curve } from './curve.ts';
import { type Drawing, RunCurves } from './run-curves.ts';
import { merged } from './steps.ts';

/** Curves measured with the probe are not part of a step's news; they are asked for again at most this often. */
const probeCurvesMilliseconds = 1500;

/** What is recorded for health to be judged by, and verdicts. */
const judged = /^(vitals|health)[/]/;

export type RecordedKind = FieldKindName | 'samples' | 'checkpoint';

export class RunData {
  readonly folder: string;
  readonly #host: Host;
  readonly curves: RunCurves;
  readonly #sigmas = new Map<number, number>();
  #recorded: Record<RecordedKind, number[]> = { samples: [], training: [], probe: [], stop: [], checkpoint: [] };
  #record: RunRecord | undefined;
  #histograms: readonly string[] = [];
  #warnings: string[] = [];
  #problem: Problem | null = null;
  #isRemoved = false;
  #loading: AbortController | null = null;
  #loaded = false;
  #waiting: MonitorEvent[] = [];
  #probeTimer: ReturnType<typeof setTimeout> | undefined;
  #health: RunHealth | null = null;
  /** Somebody looks at its health. */
  #examined = false;
  #healthTimer: ReturnType<typeof setTimeout> | undefined;

  /** Its record, its problem, its warnings or its health are others. */
  readonly onRecord = new Topic();
  /** Its curves grew, or there are new ones. */
  readonly onCurves = new Topic();
  /** Steps were recorded, or given up. */
  readonly onRecorded = new Topic();
  /** It went back: what is kept of later steps is void. */
  readonly onRestart = new Topic();

  constructor(host: Host, folder: string, drawing: () => Drawing) {
    this.#host = host;
    this.folder = folder;
    this.curves = new RunCurves(host, folder, drawing);
    this.curves.onChange.on(() => this.onCurves.fire());
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

  /** Asks for its health, and from now on keeps it up to date: many runs are looked at, few of them closely. */
  examine(): void {
    if (this.#examined) return;
    this.#examined = true;
    if (this.#loaded) void this.#loadHealth();
  }

  /** All of its curves are there. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get tags(): string[] {
    return this.curves.tags;
  }

  curve(tag: string): Curve | undefined {
    return this.curves.get(tag);
  }

  /** Tags that have histograms. */
  get histograms(): readonly string[] {
    return this.#histograms;
  }

  /** Noise levels of the probe as recorded fields have them: charts know only their numbers. */
  noteLevels(levels: readonly { readonly level: number; readonly sigma: number }[]): void {
    const known = this.#sigmas.size;
    for (const { level, sigma } of levels) this.#sigmas.set(level, sigma);
    if (this.#sigmas.size > known) this.onCurves.fire();
  }

  /** Null while no fields were read. */
  sigmaOf(level: number): number | null {
    return this.#sigmas.get(level) ?? null;
  }

  /** Steps that have this, ascending. */
  recorded(what: RecordedKind): readonly number[] {
    return this.#recorded[what];
  }

  /** Which steps were measured, and when. */
  get clock(): Clock {
    return this.curves.clock;
  }

  /** The newest step that anything is known of. */
  get lastStep(): number {
    const ends = Object.values(this.#recorded).map((steps) => steps.at(-1) ?? 0);
    return Math.max(0, ...ends, this.clock.lastStep || 0);
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
      const { samples, checkpoints: checkpoint, fields, histograms } = overview;
      this.#histograms = histograms;
      this.#recorded = copied({ samples, checkpoint, ...fields });
      this.setRecord(overview.record);
      this.onRecorded.fire();
      await this.curves.load(overview.tags, loading.signal);
      this.#loaded = true;
      this.onCurves.fire();
      for (const event of this.#waiting.splice(0)) this.apply(event);
      if (this.#examined) await this.#loadHealth();
    } catch (error) {
      if (isCancelled(error)) return;
      this.#problem = problemOf(error);
      this.onRecord.fire();
    }
  }

  dispose(): void {
    this.#loading?.abort();
    this.curves.dispose();
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
      this.curves.append(event.curves);
      if (event.curves.some(({ tag }) => judged.test(tag))) this.#healthSoon();
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

  /** In another way. */
  async redraw(): Promise<void> {
    if (this.#loaded) await this.curves.redraw();
  }

  #healthSoon(): void {
    if (!this.#examined) return;
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
      await this.curves.draw(
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
