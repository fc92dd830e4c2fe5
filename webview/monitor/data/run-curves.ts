/** The curves of a run as the page has them: asked for in as many points as show, nearer where somebody looks closely, grown by news. */
import { drawCurves, readClock, readValues } from '../../../backend/protocol/panels/monitor.ts';
import type { Curve as Columns, TagValues } from '../../../backend/protocol/rpc/runs.ts';
import { noMean } from '../../../backend/protocol/running-mean.ts';
import type { Host } from '../../shared/host.ts';
import { Topic } from '../../shared/topic.ts';
import { groupTags } from '../charts/groups.ts';
import { Clock } from './clock.ts';
import { Curve } from './curve.ts';

/** How curves are asked for. */
export interface Drawing {
  /** So many stretches of a curve are told apart. */
  readonly stretches: number;
  /** Reach of the running mean in steps; 0: none. */
  readonly smoothing: number;
}

/** A recorded number, and of which step. */
export interface Point {
  readonly step: number;
  readonly value: number;
}

const noPoints = { steps: new Float64Array(), values: new Float64Array() };

export class RunCurves {
  readonly #host: Host;
  readonly #folder: string;
  readonly #drawing: () => Drawing;
  readonly #curves = new Map<string, Curve>();
  readonly #last = new Map<string, Point>();
  #clock = new Clock();
  /** Numbers asked for at one step, of curves that are not here whole. */
  #exact: { readonly step: number; readonly points: ReadonlyMap<string, Point> } | null = null;
  /** What is being asked, by what for: a newer question takes the place of an older one. */
  readonly #asking = new Map<'redraw' | 'refine' | 'values', AbortController>();

  /** They grew, or there are new ones. */
  readonly onChange = new Topic();
  /** Numbers that were asked for are here. */
  readonly onExact = new Topic();

  constructor(host: Host, folder: string, drawing: () => Drawing) {
    this.#host = host;
    this.#folder = folder;
    this.#drawing = drawing;
  }

  get tags(): string[] {
    return [...this.#curves.keys()];
  }

  /** Which steps were measured, and when. */
  get clock(): Clock {
    return this.#clock;
  }

  get(tag: string): Curve | undefined {
    return this.#curves.get(tag);
  }

  /** The newest number under a tag. */
  last(tag: string): Point | undefined {
    return this.#last.get(tag);
  }

  /** The number at a step, or else the last one known before it. */
  at(tag: string, step: number): Point | undefined {
    const exact = this.#exact?.step === step ? this.#exact.points.get(tag) : undefined;
    const curve = this.#curves.get(tag);
    if (exact || !curve) return exact;
    const { raw } = curve.over(step, step);
    const index = raw.indexUpTo(step);
    return index < 0 ? undefined : { step: raw.step(index), value: raw.value(index) };
  }

  /** Everything anew; the first curves are seen while the others are still on their way. */
  async load(tags: readonly string[], signal: AbortSignal): Promise<void> {
    const { smoothing } = this.#drawing();
    const clock = await this.#host.request(readClock, { folder: this.#folder }, signal);
    this.#clock = new Clock(clock);
    this.#curves.clear();
    this.#last.clear();
    for (const [tag, point] of pointsOf(clock.last)) this.#last.set(tag, point);
    const [first = [], ...rest] = groupTags(tags).map((group) => group.tags);
    for (const some of [first, rest.flat()]) await this.draw(some, signal);
    if (this.#drawing().smoothing !== smoothing) await this.draw(this.tags, signal); // changed meanwhile
  }

  /** Asks for some of them as they are recorded by now. */
  async draw(tags: readonly string[], signal?: AbortSignal): Promise<void> {
    if (tags.length === 0) return;
    const { stretches, smoothing } = this.#drawing();
    const asked = { folder: this.#folder, tags: [...tags], range: null, stretches, smoothing };
    for (const drawn of await this.#host.request(drawCurves, asked, signal)) {
      const before = this.#curves.get(drawn.tag);
      const curve = new Curve(drawn, stretches, smoothing);
      // What came while the backend was asked.
      if (before) curve.append(before.after(curve.raw.lastStep));
      if (curve.raw.length > 0) this.#take(curve);
    }
    this.onChange.fire();
  }

  /** All of them, smoothed in another way. */
  redraw(): Promise<void> {
    return this.#newest('redraw', (signal) => this.draw(this.tags, signal));
  }

  /** Asks for what is to be seen of these steps and is not here. */
  async refine(tags: readonly string[], from: number, to: number): Promise<void> {
    const { stretches: shown, smoothing } = this.#drawing();
    const coarse = tags.filter((tag) => this.#curves.get(tag)?.isCoarse(from, to, shown / 2));
    if (coarse.length === 0) return;
    // As much at either side, so that a small move needs no question.
    const margin = (to - from) / 2;
    const range: [number, number] = [from - margin, to + margin];
    const stretches = 2 * shown;
    await this.#newest('refine', async (signal) => {
      const asked = { folder: this.#folder, tags: coarse, range, stretches, smoothing };
      const curves = await this.#host.request(drawCurves, asked, signal);
      for (const curve of curves) this.#curves.get(curve.tag)?.refine(curve, range, stretches);
      this.onChange.fire();
    });
  }

  /** Asks for the numbers of one step where what is here has only some steps. */
  async ask(tags: readonly string[], step: number): Promise<void> {
    const missing = tags.filter((tag) => {
      const curve = this.#curves.get(tag);
      return curve && !curve.whole && this.at(tag, step)?.step !== step;
    });
    if (missing.length === 0 || !(step <= this.#clock.lastStep)) return;
    await this.#newest('values', async (signal) => {
      const found = await this.#host.request(readValues, { folder: this.#folder, tags: missing, step }, signal);
      const kept = this.#exact?.step === step ? this.#exact.points : [];
      this.#exact = { step, points: new Map([...kept, ...pointsOf(found)]) };
      this.onExact.fire();
    });
  }

  /** News of the run. */
  append(curves: readonly Columns[]): void {
    const [first] = curves;
    if (!first) return;
    const longest = curves.reduce((a, b) => (b.steps.length > a.steps.length ? b : a), first);
    this.#clock.append(longest.steps, longest.times);
    for (const { tag, steps, values } of curves) {
      const curve = this.#curves.get(tag) ?? this.#begun(tag);
      curve.append({ steps, values });
      if (curve.raw.length > 0) this.#take(curve);
    }
    this.onChange.fire();
  }

  dispose(): void {
    for (const asked of this.#asking.values()) asked.abort();
  }

  #begun(tag: string): Curve {
    const { smoothing, stretches } = this.#drawing();
    const smooth = smoothing > 0 ? { ...noPoints, mean: noMean } : null;
    return new Curve({ tag, whole: true, raw: noPoints, smooth }, stretches, smoothing);
  }

  #take(curve: Curve): void {
    const { raw, tag } = curve;
    this.#curves.set(tag, curve);
    this.#last.set(tag, { step: raw.lastStep, value: raw.value(raw.length - 1) });
  }

  /** What cannot be had now is asked for again by the next move: the backend or the run is gone, and the record says so. */
  async #newest(what: 'redraw' | 'refine' | 'values', work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#asking.get(what)?.abort();
    const asking = new AbortController();
    this.#asking.set(what, asking);
    try {
      await work(asking.signal);
    } catch {
      // As said above.
    }
  }
}

function pointsOf({ tags, steps, values }: TagValues): [string, Point][] {
  return tags.map((tag, i) => [tag, { step: steps[i]!, value: values[i]! }]);
}
