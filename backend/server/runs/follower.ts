/**
 * What happens in one run, as it happens. The run's own process tells it where it can be reached; else the files do, a
 * moment later. The files are the truth either way: what a run tells is passed on only where it follows what the files
 * said, and a run that went back is seen there.
 */

import type { Interests, LiveEvent } from '../../protocol/rpc/index.ts';
import type { RunMessage, RunMessageOf } from '../../protocol/run-messages.ts';
import { runPaths } from '../../runs/folder/run-folder.ts';
import type { HistoryChange, RunHistory } from './history.ts';
import type { Listening, LiveLinks } from './live-links.ts';
import { RecordedSteps } from './recorded-steps.ts';

type Points = Extract<LiveEvent, { type: 'scalars' }>['points'];

const batchMs = 50;
const tailMs = 300;
/** While the run itself tells what happens, its files only fill in what it leaves out. */
const linkedTailMs = 2000;

export interface FollowerParts {
  readonly folder: string;
  readonly wants: Interests;
  readonly history: RunHistory;
  readonly links: LiveLinks;
  /** Settles when the event has left. */
  readonly emit: (event: LiveEvent) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export class Follower {
  readonly #parts: FollowerParts;
  readonly #recorded: RecordedSteps;
  #wants: Interests;
  #listening: Listening | undefined;
  #leaveHistory = () => {};
  /** Steps that the run told and the files have not yet: with which values. */
  readonly #told = new Map<number, Readonly<Record<string, number>>>();
  #points: Points = [];
  #sentAt = Number.NEGATIVE_INFINITY;
  #batchTimer: NodeJS.Timeout | undefined;
  #tailTimer: NodeJS.Timeout | undefined;
  #tailDue = 0;
  /**
   * A process that goes on with a run notes in the files where it begins again, before its first step. Once the files were
   * read after a step was heard of, they and the link speak of the same.
   */
  #link: 'new' | 'heard' | 'level' = 'new';
  #lastStep = -1;
  #probeWaiting: RunMessageOf<'probe'> | undefined;
  #probeLeaving = false;
  #stopped = false;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#wants = parts.wants;
    this.#recorded = new RecordedSteps(runPaths(parts.folder));
  }

  /** What is recorded before this settles is not told. Throws UserError('io'). */
  async start(): Promise<void> {
    const { folder, history, links } = this.#parts;
    await history.advance();
    if (this.#stopped) return;
    this.#lastStep = history.lastStep;
    this.#recorded.news();
    this.#leaveHistory = history.onChange((change) => this.#fromFiles(change));
    const listener = {
      onMessage: (message: RunMessage) => this.#fromRun(message),
      onChange: () => {
        this.#link = 'new';
        this.#tailSoon(0);
      },
      onRefused: (text: string) => this.#emit({ type: 'note', level: 'warning', text }),
    };
    this.#listening = links.listen(folder, listener, this.#wants);
    this.#tailSoon(0);
  }

  /** From now on it tells of these. */
  want(wants: Interests): void {
    if (!wants.probe) this.#probeWaiting = undefined;
    this.#wants = wants;
    this.#listening?.want(wants);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#batchTimer);
    clearTimeout(this.#tailTimer);
    this.#leaveHistory();
    this.#listening?.leave();
  }

  #tailSoon(ms: number): void {
    const due = performance.now() + ms;
    if (this.#stopped || (this.#tailTimer && this.#tailDue <= due)) return;
    clearTimeout(this.#tailTimer);
    this.#tailDue = due;
    this.#tailTimer = setTimeout(() => {
      this.#tailTimer = undefined;
      void this.#tail();
    }, ms);
  }

  async #tail(): Promise<void> {
    const { folder, history, links, onError } = this.#parts;
    try {
      await links.ensure(folder);
      const heard = this.#link === 'heard';
      await history.advance();
      if (this.#stopped) return;
      if (heard && this.#link === 'heard') this.#link = 'level';
      for (const event of this.#recorded.news()) if (this.#wants.records) this.#emit(event);
    } catch (error) {
      if (!this.#stopped) onError(error);
    }
    this.#tailSoon(links.standing(folder) ? linkedTailMs : tailMs);
  }

  #fromFiles(change: HistoryChange): void {
    if (change.type === 'recorded') {
      if (this.#wants.records) this.#emit(change);
      return;
    }
    if (change.type === 'restart') {
      this.#flush();
      this.#lastStep = Math.min(this.#lastStep, change.step - 1);
      for (const step of [...this.#told.keys()]) if (step >= change.step) this.#told.delete(step);
      this.#recorded.dropFrom(change.step);
      this.#emit(change);
      return;
    }
    this.#offer(change.points.filter(({ step, scalars }) => !this.#wasTold(step, scalars)));
    const last = change.points.at(-1)?.step ?? -1;
    this.#lastStep = Math.max(this.#lastStep, last);
    for (const step of [...this.#told.keys()]) if (step < last) this.#told.delete(step);
  }

  #wasTold(step: number, scalars: Readonly<Record<string, number>>): boolean {
    const told = this.#told.get(step);
    return told !== undefined && Object.keys(scalars).every((tag) => tag in told);
  }

  #fromRun(message: RunMessage): void {
    if (message.type === 'step') this.#step(message);
    else if (message.type === 'note') this.#emit(message);
    else if (message.type === 'recorded') {
      this.#recorded.note(message);
      this.#emit(message);
      // The probe has curves of its own, which only the files have.
      if (message.kind === 'probe') this.#tailSoon(0);
    } else if (message.type === 'checkpoint') {
      this.#tailSoon(0); // with those that were given up for it
    } else if (message.type === 'probe') {
      this.#probeWaiting = message;
      void this.#sendProbe();
    }
  }

  /** Passed on at once where it is the next step; what lies between, or a run that went back, the files tell. */
  #step({ step, time, scalars }: RunMessageOf<'step'>): void {
    if (this.#link === 'new') this.#link = 'heard';
    if (this.#link !== 'level' || step > this.#lastStep + 1) {
      this.#tailSoon(0);
      return;
    }
    if (step <= this.#lastStep) return; // the files were faster
    // As the files will have it: single precision.
    const rounded = Object.fromEntries(Object.entries(scalars).map(([tag, value]) => [tag, Math.fround(value)]));
    this.#told.set(step, rounded);
    this.#lastStep = step;
    this.#offer([{ step, time, scalars: rounded }]);
  }

  /** The first batch goes at once. */
  #offer(points: Points): void {
    if (points.length === 0 || !this.#wants.steps) return;
    this.#points.push(...points);
    const wait = this.#sentAt + batchMs - performance.now();
    if (wait <= 0) this.#flush();
    else this.#batchTimer ??= setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#points.length === 0) return;
    const points = this.#points.sort((a, b) => a.step - b.step);
    this.#points = [];
    this.#sentAt = performance.now();
    this.#emit({ type: 'scalars', points });
  }

  /** Megabytes each: one at a time, and always the newest. */
  async #sendProbe(): Promise<void> {
    if (this.#probeLeaving) return;
    this.#probeLeaving = true;
    while (this.#probeWaiting && !this.#stopped) {
      const { step, tensors, metadata } = this.#probeWaiting;
      this.#probeWaiting = undefined;
      await this.#parts.emit({ type: 'probe', fields: { kind: 'probe', step, tensors, metadata } });
    }
    this.#probeLeaving = false;
  }

  #emit(event: LiveEvent): void {
    if (!this.#stopped) void this.#parts.emit(event);
  }
}
