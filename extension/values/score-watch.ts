/**
 * The score watch without the editor: reads what the expressions name at a stop, and keeps the last stops.
 * What an array is like is remembered by its expression, so that at the next stop one question per expression is enough.
 */
import { UserError } from '../../backend/protocol/errors.ts';
import {
  mostKeptNumbers,
  mostStops,
  type ScoreReading,
  type ScoreRole,
  type ScoreSettings,
  type ScoreStop,
  scoreRoles,
  scoreSettingsSchema,
} from '../../backend/protocol/panels/score-watch.ts';
import type { Stop } from '../../backend/protocol/panels/value.ts';
import { guessAxes, type Seen, seenBy } from '../../backend/protocol/values/axes.ts';
import { scorePresets } from '../../backend/protocol/values/score-presets.ts';
import { mostShown } from '../../backend/protocol/values/value.ts';
import type { Debuggee } from './debuggee.ts';
import { readValue } from './read.ts';

/** Where settings outlive the window. */
export interface Memory {
  get(): unknown;
  set(value: ScoreSettings): void;
}

const images: readonly ScoreRole[] = ['x', 'xt', 'real', 'fake'];
const numbersOnly: readonly ScoreRole[] = ['alpha', 'sigma'];

export class ScoreWatch {
  readonly #memory: Memory;
  readonly #shapes = new Map<string, readonly number[]>();
  #settings: ScoreSettings;
  #stops: ScoreStop[] = [];
  #last = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
    const saved = scoreSettingsSchema.safeParse(memory.get());
    const first = { expressions: scorePresets[0]!.expressions, sample: 0, frame: 0, follow: true };
    this.#settings = saved.success ? saved.data : first;
  }

  get settings(): ScoreSettings {
    return this.#settings;
  }

  get stops(): readonly ScoreStop[] {
    return this.#stops;
  }

  set(settings: ScoreSettings): void {
    this.#settings = settings;
    this.#memory.set(settings);
  }

  forget(): void {
    this.#stops = [];
  }

  /** A number of its own for a stop: reading the same stop again keeps it. */
  newStop(): number {
    this.#last++;
    return this.#last;
  }

  /**
   * Reads a stop. Null when the program ran on meanwhile, or nothing of it could be read while others could before: stops
   * elsewhere in the program are no news.
   */
  async read(id: number, debuggee: Debuggee, stop: Stop): Promise<ScoreStop | null> {
    const { expressions, sample } = this.#settings;
    const start = performance.now();
    const readings: Partial<Record<ScoreRole, ScoreReading>> = {};
    // One after the other: of questions at once each costs debugpy 120 ms, as its small packets wait for acknowledgements.
    for (const role of scoreRoles) {
      const expression = expressions[role].trim();
      if (expression === '') continue;
      const reading = await this.#reading(debuggee, role, expression);
      if (reading === null || debuggee.resumed.aborted) return null;
      readings[role] = reading;
    }
    const read: ScoreStop = { id, stop, sample, took: performance.now() - start, readings };
    const isEmpty = !images.some((role) => readings[role] && 'value' in readings[role]);
    if (isEmpty && this.#stops.length > 0 && this.#stops.at(-1)!.id !== id) return null;
    this.#keep(read);
    return read;
  }

  /** Null: the program ran on. */
  async #reading(debuggee: Debuggee, role: ScoreRole, expression: string): Promise<ScoreReading | null> {
    try {
      const known = this.#shapes.get(expression);
      if (known) {
        const again = await this.#cut(debuggee, role, expression, known).catch((error: unknown) => {
          if (error instanceof UserError && error.kind !== 'cancelled') return null; // it may have another shape now
          throw error;
        });
        if (again && String(again.value.shape) === String(known)) return again;
      }
      const { shape } = await readValue(debuggee, { expression, shape: null, count: false, cut: null });
      this.#shapes.set(expression, shape);
      return await this.#cut(debuggee, role, expression, shape);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.kind === 'cancelled' ? null : { problem: error.message, hint: error.hint };
    }
  }

  async #cut(debuggee: Debuggee, role: ScoreRole, expression: string, shape: readonly number[]) {
    const { cut, ...seen } = this.#seen(role, shape);
    return { value: await readValue(debuggee, { expression, shape: null, count: true, cut }), ...seen };
  }

  #seen(role: ScoreRole, shape: readonly number[]): Seen {
    const { sample, frame } = this.#settings;
    const perSample = shape.slice(1).reduce((all, length) => all * length, 1);
    if (numbersOnly.includes(role) || (role === 'weight' && perSample === 1)) {
      const longest = shape.findIndex((length) => length > 1);
      const roles = shape.map(() => 'index' as const);
      const at = shape.map((_, axis) => (axis === longest ? sample : 0));
      return seenBy(shape, roles, at, mostShown);
    }
    const roles = guessAxes(shape);
    const indices = roles.flatMap((axisRole, axis) => (axisRole === 'index' ? [axis] : []));
    const at = shape.map((_, axis) => (axis === indices[0] ? sample : indices.includes(axis) ? frame : 0));
    return seenBy(shape, roles, at, mostShown);
  }

  #keep(read: ScoreStop): void {
    const at = this.#stops.findIndex(({ id }) => id === read.id);
    if (at >= 0) this.#stops[at] = read;
    else this.#stops.push(read);
    while (this.#stops.length > mostStops || (this.#stops.length > 1 && this.#numbers() > mostKeptNumbers)) {
      this.#stops.shift();
    }
  }

  #numbers(): number {
    const readings = this.#stops.flatMap((stop) => Object.values(stop.readings));
    return readings.reduce((sum, one) => sum + (one && 'value' in one ? (one.value.numbers?.length ?? 0) : 0), 0);
  }
}
