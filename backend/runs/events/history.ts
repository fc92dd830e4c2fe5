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
  readonly #tags = new Map<string, Map<number, Point>>();

  add(event: RunEvent): void {
    if (event.restart) this.#dropFrom(event.step);
    for (const value of event.values) {
      const key = keyOf(value.kind, value.tag);
      const points = this.#tags.get(key) ?? new Map<number, Point>();
      points.set(event.step, { step: event.step, wallTime: event.wallTime, value });
      this.#tags.set(key, points);
    }
  }

  /** The tags of a kind, sorted. */
  tags(kind: SummaryValue['kind']): string[] {
    return [...this.#tags.keys()]
      .filter((key) => key.startsWith(`${kind} `))
      .map((key) => key.slice(kind.length + 1))
      .sort();
  }

  /** The points of a tag by ascending step; [] for an unknown tag. */
  points<K extends SummaryValue['kind']>(kind: K, tag: string): Point<Extract<SummaryValue, { kind: K }>>[] {
    const points = this.#tags.get(keyOf(kind, tag))?.values() ?? [];
    const isKind = (point: Point): point is Point<Extract<SummaryValue, { kind: K }>> => point.value.kind === kind;
    return [...points].filter(isKind).sort((a, b) => a.step - b.step);
  }

  #dropFrom(step: number): void {
    for (const [key, points] of this.#tags) {
      for (const at of points.keys()) if (at >= step) points.delete(at);
      if (points.size === 0) this.#tags.delete(key);
    }
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
