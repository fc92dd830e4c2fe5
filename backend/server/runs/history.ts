/**
 * A run's curves in memory, kept up with its event files. Long files are read in short slices, so that other requests are
 * answered in between. What counts after a resume is as in backend/runs/events/history.ts.
 */
import fs from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { systemErrorWords } from '../../files/disk.ts';
import { leadsNowhere, listFolder } from '../../files/folders.ts';
import { openRegularSync } from '../../files/regular.ts';
import type { Curve, LiveEvent, TagValues } from '../../protocol/rpc/index.ts';
import type { RunEvent } from '../../runs/events/proto.ts';
import { type EventFileReader, openEventFile } from '../../runs/events/reader.ts';
import { eventFileName } from '../../runs/events/writer.ts';
import { eventsIn, isEventFolder } from '../../runs/folder/event-folder.ts';
import { contained } from '../contained.ts';
import { Column } from './columns.ts';
import { EventHistograms } from './event-histograms.ts';
import { EventPictures } from './event-pictures.ts';

/** How long decoding may hold up everything else; slices are as large as that allows on this machine at this time. */
const sliceMilliseconds = 8;
const firstSliceBytes = 1 << 13;
const [leastSliceBytes, mostSliceBytes] = [1 << 12, 1 << 17];

/** Curves that are kept: a run has a few dozen, and whoever writes more writes something else into the tags. */
const mostTags = 10_000;

export type HistoryChange = Extract<LiveEvent, { type: 'scalars' | 'restart' | 'recorded' }>;

export class RunHistory {
  readonly #folder: string;
  readonly #readers = new Map<string, EventFileReader>();
  readonly #columns = new Map<string, Column>();
  /** From which steps on earlier values were superseded, in the order of the files. */
  #restarts: number[] = [];
  readonly #listeners = new Set<(change: HistoryChange) => void>();
  /** Files that lead out of their folder, or are none: why. */
  readonly #refused = new Map<string, string>();
  /** What to say of an `events/` that leads to what is not there. */
  #unconnected: readonly string[] = [];
  /** Those of another program; a run has files of its own for them. */
  #pictures: EventPictures | null = null;
  #histograms = new EventHistograms();
  #reading: Promise<void> = Promise.resolve();
  #lastStep = -1;
  /** Values under more tags than are kept. */
  #leftOut = 0;
  #sliceBytes = firstSliceBytes;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The last step with a value, -1 where there is none. */
  get lastStep(): number {
    return this.#lastStep;
  }

  /** Pictures in the event files of another program; null for a run. */
  get pictures(): EventPictures | null {
    return this.#pictures;
  }

  get histograms(): EventHistograms {
    return this.#histograms;
  }

  get bytes(): number {
    let sum = 0;
    for (const column of this.#columns.values()) sum += column.bytes;
    return sum;
  }

  /** Damaged files and the like, in words. */
  warnings(): string[] {
    const damages = [...this.#readers.values()].map(({ damage }) => damage).filter((damage) => damage !== '');
    const many =
      this.#leftOut === 0
        ? []
        : [`its event files name more than ${mostTags} curves: ${this.#leftOut} values of others are left out`];
    return [...damages, ...this.#refused.values(), ...this.#unconnected, ...many];
  }

  tags(): string[] {
    return [...this.#columns].flatMap(([tag, column]) => (column.cutAt(this.#restarts).length > 0 ? [tag] : [])).sort();
  }

  /** No points for a tag that is not there. */
  curve(tag: string): Curve {
    return { tag, ...(this.#columns.get(tag) ?? new Column()).cutAt(this.#restarts).read() };
  }

  /** The last point at a step or before of each of some curves that has one. */
  valuesAt(tags: readonly string[], step: number): TagValues {
    const found = tags.flatMap((tag) => {
      const point = this.#columns.get(tag)?.cutAt(this.#restarts).upTo(step);
      return point ? [{ tag, ...point }] : [];
    });
    return {
      tags: found.map(({ tag }) => tag),
      steps: Float64Array.from(found, (point) => point.step),
      values: Float64Array.from(found, ({ value }) => value),
    };
  }

  lastValues(): TagValues {
    return this.valuesAt(this.tags(), Number.POSITIVE_INFINITY);
  }

  /** The curve with the most points. */
  longest(): Omit<Curve, 'tag'> {
    let longest = new Column();
    for (const column of this.#columns.values()) {
      if (column.cutAt(this.#restarts).length > longest.length) longest = column;
    }
    return longest.read();
  }

  /** Told about everything that `advance` reads. @returns takes the listener off again */
  onChange(listener: (change: HistoryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads everything that is in the files by now. Throws UserError('io'). */
  advance(signal?: AbortSignal): Promise<void> {
    const read = this.#reading.then(() => this.#advance(signal));
    this.#reading = read.catch(() => {});
    return read;
  }

  async #advance(signal: AbortSignal | undefined): Promise<void> {
    for (const reader of this.#files()) {
      for (;;) {
        signal?.throwIfAborted();
        const start = performance.now();
        const events = reader.read(this.#sliceBytes);
        if (events.length === 0) break;
        this.#take(events);
        this.#pace(performance.now() - start);
        await turn();
      }
    }
  }

  /** At most twice as much next time: code that is new runs slowly, and a quick slice may have been an easy one. */
  #pace(milliseconds: number): void {
    const factor = Math.min(2, sliceMilliseconds / Math.max(milliseconds, 0.1));
    this.#sliceBytes = Math.min(mostSliceBytes, Math.max(leastSliceBytes, Math.round(this.#sliceBytes * factor)));
  }

  /** Readers of all event files, oldest first; begins anew when one of them has gone, or is another one now. */
  #files(): EventFileReader[] {
    const events = eventsIn(this.#folder);
    if (isEventFolder(this.#folder)) this.#pictures ??= new EventPictures();
    this.#unconnected = leadsNowhere(events) ? [`${events} is a link that leads nowhere: is its disk connected?`] : [];
    const names = listFolder(events).filter((name) => eventFileName.test(name));
    if ([...this.#readers].some(([name, reader]) => !names.includes(name) || reader.isReplaced())) this.#reset();
    return names.flatMap((name) => {
      if (this.#refused.has(name)) return [];
      const reader = this.#readers.get(name) ?? this.#open(events, name);
      return reader ? [reader] : [];
    });
  }

  /** The folder may be a link to another disk; what is in it may not lead out of that. */
  #open(events: string, name: string): EventFileReader | undefined {
    try {
      const real = contained(events, name);
      fs.closeSync(openRegularSync(real));
      const reader = openEventFile(real);
      this.#readers.set(name, reader);
      return reader;
    } catch (error) {
      const worded = systemErrorWords(error);
      this.#refused.set(name, worded instanceof Error ? worded.message : String(worded));
      return undefined;
    }
  }

  #reset(): void {
    this.#readers.clear();
    this.#refused.clear();
    this.#columns.clear();
    this.#restarts = [];
    this.#pictures = null;
    this.#histograms = new EventHistograms();
    this.#leftOut = 0;
    this.#lastStep = -1;
    this.#tell({ type: 'restart', step: 0 });
  }

  #take(events: readonly RunEvent[]): void {
    let points: Extract<HistoryChange, { type: 'scalars' }>['points'] = [];
    const told = () => {
      if (points.length > 0) this.#tell({ type: 'scalars', points });
      points = [];
    };
    for (const { step, wallTime, restart, values } of events) {
      if (!(step >= 0)) continue; // no run writes it
      if (restart) {
        told();
        this.#restarts.push(step);
        this.#pictures?.dropFrom(step);
        this.#histograms.dropFrom(step);
        this.#lastStep = Math.min(this.#lastStep, step - 1);
        this.#tell({ type: 'restart', step });
      }
      const listened = this.#listeners.size > 0;
      const scalars: Record<string, number> = {};
      let any = false;
      for (const value of values) {
        if (value.kind === 'image') this.#picture(step, value);
        if (value.kind === 'histogram') this.#histograms.add(value.tag, step, value.histogram);
        if (value.kind !== 'scalar') continue;
        const column = this.#columns.get(value.tag) ?? this.#begin(value.tag);
        if (!column) continue;
        any = true;
        if (listened) scalars[value.tag] = value.value;
        column.cutAt(this.#restarts).set(step, value.value, wallTime);
      }
      if (!any) continue;
      this.#lastStep = Math.max(this.#lastStep, step);
      if (listened) points.push({ step, time: wallTime, scalars });
    }
    told();
  }

  #picture(step: number, value: Parameters<EventPictures['add']>[1]): void {
    const dropped = this.#pictures?.add(step, value);
    if (dropped) this.#tell({ type: 'recorded', kind: 'samples', step, dropped });
  }

  /** Room for one more curve; undefined where there are enough. */
  #begin(tag: string): Column | undefined {
    if (this.#columns.size === mostTags) {
      this.#leftOut += 1;
      return undefined;
    }
    const column = new Column(this.#restarts.length);
    this.#columns.set(tag, column);
    return column;
  }

  #tell(change: HistoryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
