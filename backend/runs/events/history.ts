/**
 * A run's curves: events folded into one value per tag and step.
 *
 * After a resume the same steps may be there twice. What counts is the last value written for a step, and nothing of an
 * earlier process from the step on where a later one began again.
 */
import type { RunEvent, SummaryValue } from './proto.ts';
import { openEventFolder } from './reader.ts';

/** A recorded value with the step and time (seconds since 1970) it was recorded at. */
export interface Point<V extends SummaryValue = SummaryValue> {
  readonly step: number;
  readonly wallTime: number;
  readonly value: V;
}

export class History {
  readonly #tags = new Map<string, TagPoints>();
  /** From which steps on earlier points were superseded, in the order of the files. */
  readonly #restarts: number[] = [];

  add(event: RunEvent): void {
    if (event.restart) this.#restarts.push(event.step);
    for (const value of event.values) {
      const key = keyOf(value.kind, value.tag);
      const points = this.#tags.get(key) ?? new TagPoints(this.#restarts.length);
      points.cutAt(this.#restarts).set({ step: event.step, wallTime: event.wallTime, value });
      this.#tags.set(key, points);
    }
  }

  /** The tags of a kind, sorted. */
  tags(kind: SummaryValue['kind']): string[] {
    return [...this.#tags]
      .filter(([key, points]) => key.startsWith(`${kind} `) && points.cutAt(this.#restarts).all().length > 0)
      .map(([key]) => key.slice(kind.length + 1))
      .sort();
  }

  /** The points of a tag by ascending step; [] for an unknown tag. */
  points<K extends SummaryValue['kind']>(kind: K, tag: string): Point<Extract<SummaryValue, { kind: K }>>[] {
    const points = this.#tags.get(keyOf(kind, tag))?.cutAt(this.#restarts).all() ?? [];
    const isKind = (point: Point): point is Point<Extract<SummaryValue, { kind: K }>> => point.value.kind === kind;
    return points.filter(isKind).sort((a, b) => a.step - b.step);
  }
}

/** What is known under one tag. It hears of restarts when it is used: a file can have thousands of both. */
class TagPoints {
  readonly #points = new Map<number, Point>();
  #last = Number.NEGATIVE_INFINITY;
  /** How many restarts it has heard of. */
  #heard: number;

  constructor(heard: number) {
    this.#heard = heard;
  }

  cutAt(restarts: readonly number[]): this {
    let from = Number.POSITIVE_INFINITY;
    for (; this.#heard < restarts.length; this.#heard++) from = Math.min(from, restarts[this.#heard]!);
    if (this.#last < from) return this;
    for (const step of this.#points.keys()) if (step >= from) this.#points.delete(step);
    this.#last = from;
    return this;
  }

  set(point: Point): void {
    this.#points.set(point.step, point);
    this.#last = Math.max(this.#last, point.step);
  }

  all(): Point[] {
    return [...this.#points.values()];
  }
}

function keyOf(kind: string, tag: string): string {
  return `${kind} ${tag}`;
}

/** Reads a whole event folder. `warnings` names damaged files; what is sound in them is there. */
export function readHistory(folder: string): { history: History; warnings: string[] } {
  const history = new History();
  const reader = openEventFolder(folder);
  for (let events = reader.read(); events.length > 0; events = reader.read()) {
    for (const event of events) history.add(event);
  }
  return { history, warnings: reader.warnings() };
}
