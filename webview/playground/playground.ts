/** The playground's page without its looks: what is set, the run that is shown, and what was last read of it. */
import {
  advanceRun,
  begin,
  changeRun,
  commandRun,
  goOn,
  letGo,
  type PlaygroundState,
  paceRun,
  playgroundAgain,
  playgroundStateSchema,
  readPlane,
  runChanged,
  runRemoved,
  type ShownPlayground,
  takeUp,
} from '../../backend/protocol/panels/playground.ts';
import {
  changedAssignments,
  type LossSettings,
  type PlaygroundLoss,
  type PlaygroundSettings,
  type Target,
} from '../../backend/protocol/panels/playground-settings.ts';
import type { PlaygroundTexts } from '../../backend/protocol/panels/playground-texts.ts';
import type { RunRecord } from '../../backend/protocol/rpc/runs.ts';
import { type Host, HostError, isCancelled } from '../shared/host.ts';
import { Topic } from '../shared/topic.ts';
import type { Frame } from './frame.ts';
import type { Layers, Shot } from './scene.ts';
import type { Reading } from './summary.ts';
import { nameOf, targets } from './targets.ts';

/** More iterations for a run that has done its own. */
const more = 1500;
/** Between two readings of a run that works; with reduced motion pictures follow each other slowly. */
const readEveryMs = 70;
const calmReadEveryMs = 1500;
const saveEveryMs = 1000;
/** A run that ends while it is read refuses once or twice. */
const mostFailures = 4;
const shade = 4;
const sampleCount = 500;

export const figureThree: LossSettings = {
  ...{ loss: 'difference', weight: 'eq8', lambda: 1, generatorRate: 1e-3, fakeRate: 6e-3, sigmaMax: 0.12 },
};

const defaults: PlaygroundState = {
  folder: null,
  settings: { name: 'two', target: targets.two, losses: figureThree, seed: 1 },
  sigma: 0.12,
  layers: { samples: true, densities: true, real: false, fake: false, difference: true, exact: false },
  perSecond: 200,
  reading: null,
};

export interface Viewed extends Frame {
  readonly columns: number;
  readonly rows: number;
}

export class Playground {
  readonly host: Host;
  readonly texts: PlaygroundTexts;
  readonly onChange = new Topic();
  settings: PlaygroundSettings;
  sigma: number;
  layers: Layers;
  perSecond: number | null;
  record: RunRecord | null = null;
  shot: Shot | null = null;
  /** A run is being started or ended. */
  busy = false;
  /** What went wrong last, or is worth saying; '' for nothing. */
  message = '';
  isError = false;
  /** What the run has, as opposed to what is set. */
  #running: Omit<PlaygroundSettings, 'name'> | null = null;
  #viewed: Viewed | null = null;
  #reading = false;
  #again = false;
  /** Readings in a row that failed. */
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #saved: PlaygroundState;

  constructor(host: Host, texts: PlaygroundTexts) {
    this.host = host;
    this.texts = texts;
    this.#saved = host.load(playgroundStateSchema) ?? defaults;
    const { settings, sigma, layers, perSecond } = this.#saved;
    this.settings = settings;
    this.sigma = sigma;
    this.layers = { ...(defaults.layers as unknown as Layers), ...layers };
    this.perSecond = perSecond;
  }

  get folder(): string | null {
    return this.record?.folder ?? null;
  }

  /** Its process works or waits. */
  get isAlive(): boolean {
    return this.record !== null && ['queued', 'running', 'paused', 'stopping'].includes(this.record.state);
  }

  get isPlaying(): boolean {
    return this.record !== null && ['queued', 'running'].includes(this.record.state);
  }

  /** Whether what is set is another run than the one that is shown. */
  get isOther(): boolean {
    return this.#running === null || ofRun(this.settings) !== ofRun(this.#running);
  }

  /** What is drawn: the modes of the run, unless others are set. */
  get step(): number {
    return Math.max(this.shot?.reading.step ?? 0, this.record?.step ?? 0);
  }

  async start(): Promise<void> {
    this.host.on(runChanged, (record) => {
      if (record.folder !== this.folder) return;
      this.record = record;
      this.onChange.fire();
      this.read();
    });
    this.host.on(runRemoved, ({ folder }) => {
      if (folder === this.folder) this.#show(null);
    });
    this.host.on(playgroundAgain, () => void this.#takeUp(this.folder));
    await this.#takeUp(this.#saved.folder);
  }

  /** From now on this part of the plane is read. */
  view(viewed: Viewed): void {
    if (JSON.stringify(viewed) === JSON.stringify(this.#viewed)) return;
    this.#viewed = viewed;
    this.#restoreShot(viewed);
    this.read();
  }

  look(change: { sigma?: number; layers?: Partial<Layers> }): void {
    this.sigma = change.sigma ?? this.sigma;
    this.layers = { ...this.layers, ...change.layers };
    this.#changed();
    this.read();
  }

  setTarget(target: Target, name: string = nameOf(target)): void {
    this.settings = { ...this.settings, target, name };
    this.#changed();
  }

  setSeed(seed: number): void {
    this.settings = { ...this.settings, seed };
    this.#changed();
  }

  /** Losses and rates: a run that works has them from its next step on. */
  async setLosses(change: Partial<LossSettings>): Promise<void> {
    this.settings = { ...this.settings, losses: { ...this.settings.losses, ...change } };
    this.#changed();
    await this.#guard(() => this.#applyLosses());
  }

  /** One of Figure 3's columns, from its beginning. */
  async figureThree(loss: PlaygroundLoss): Promise<void> {
    this.settings = { name: 'two', target: targets.two, seed: this.settings.seed, losses: { ...figureThree, loss } };
    await this.#guard(() => this.#begin(null));
  }

  /** Goes on: with a run of its own where there is none yet, or what is set is another. @param iterations null: to the last but one */
  async play(iterations: number | null = null): Promise<void> {
    await this.#guard(async () => {
      if (this.isOther) return this.#begin(iterations);
      const { folder } = this;
      if (folder === null) return;
      const left = this.#total - 1 - this.step;
      if (!this.isAlive) {
        const set = changedAssignments(this.#running!.losses, this.settings.losses);
        const longer = left > 0 ? [] : [`iterations=${this.#total + more}`];
        this.busy = true;
        this.#changed();
        await this.host.request(goOn, { folder, set: [...set, ...longer] });
        await this.#takeUp(folder);
      } else if (left <= 0) {
        await this.host.request(changeRun, { folder, params: { set: [`iterations=${this.#total + more}`] } });
        this.record = { ...this.record!, iterations: this.#total + more };
      }
      await this.host.request(paceRun, { folder, params: { perSecond: this.perSecond } });
      await this.#advance(folder, iterations);
    });
  }

  async pause(): Promise<void> {
    const { folder } = this;
    if (folder !== null) await this.#guard(() => this.host.request(commandRun, { folder, command: 'pause' }));
  }

  /** Its last step, after which it has written the generator. */
  async finish(): Promise<void> {
    const { folder } = this;
    if (folder !== null) await this.#guard(() => this.host.request(commandRun, { folder, command: 'resume' }));
  }

  /** The run is left at once; the host ends it, which may take a moment. */
  async reset(): Promise<void> {
    this.message = '';
    this.#show(null);
    await this.#guard(() => this.host.request(letGo, {}));
  }

  async setSpeed(perSecond: number | null): Promise<void> {
    this.perSecond = perSecond;
    this.#changed();
    const { folder } = this;
    if (folder !== null && this.isAlive) {
      await this.#guard(() => this.host.request(paceRun, { folder, params: { perSecond } }));
    }
  }

  say(message: string, isError = false): void {
    this.message = message;
    this.isError = isError;
    this.onChange.fire();
  }

  /** Reads the run anew, now or when the reading under way is there. */
  read(): void {
    this.#again = true;
    if (!this.#reading) void this.#readOn();
  }

  get #total(): number {
    return this.record?.iterations ?? 0;
  }

  async #begin(iterations: number | null): Promise<void> {
    this.busy = true;
    this.message = '';
    this.shot = null;
    this.record = null;
    this.#running = null;
    this.#changed();
    const pace = { perSecond: this.perSecond, iterations: 0 };
    const shown = await this.host.request(begin, { settings: this.settings, pace });
    this.#show(shown);
    await this.#advance(shown.record.folder, iterations);
  }

  /** It stands still before its last step: after that one nothing could be asked of it. */
  async #advance(folder: string, iterations: number | null): Promise<void> {
    const left = Math.max(1, this.#total - 1 - this.step);
    await this.host.request(advanceRun, { folder, params: { iterations: Math.min(left, iterations ?? left) } });
  }

  async #applyLosses(): Promise<void> {
    const { folder } = this;
    if (folder === null || !this.isAlive || !this.#running) return;
    const { losses } = this.settings;
    const set = changedAssignments(this.#running.losses, losses);
    if (set.length === 0) return;
    const before = this.#running;
    this.#running = { ...before, losses };
    try {
      const { step } = await this.host.request(changeRun, { folder, params: { set } });
      this.say(this.texts.changed.replace('{0}', String(step)));
    } catch (error) {
      this.#running = before;
      throw error;
    }
  }

  async #takeUp(folder: string | null): Promise<void> {
    await this.#guard(async () => {
      const shown = await this.host.request(takeUp, { folder });
      if (shown && this.#running === null) this.settings = { ...this.settings, ...shown.settings };
      this.#show(shown);
    });
  }

  #show(shown: ShownPlayground | null): void {
    this.record = shown?.record ?? null;
    this.#running = shown?.settings ?? null;
    if (!shown) this.shot = null;
    this.busy = false;
    this.#changed();
    this.read();
  }

  async #readOn(): Promise<void> {
    clearTimeout(this.#timer);
    this.#reading = true;
    while (this.#again) {
      this.#again = false;
      const { folder, sigma } = this;
      const viewed = this.#viewed;
      if (folder === null || !viewed) break;
      try {
        const params = { ...viewed, sigma, shade: this.layers.densities ? shade : 0, samples: sampleCount };
        const reading = await this.host.request(readPlane, { folder, params });
        if (folder !== this.folder) continue;
        const { columns, rows, ...frame } = viewed;
        this.#failures = 0;
        this.shot = { reading, frame, columns, rows, shade: params.shade };
        this.#changed();
      } catch (error) {
        if (folder !== this.folder) continue;
        // A run that has just ended answers no more; what its record says comes next, and then its last checkpoint answers.
        if (!isCancelled(error) && (++this.#failures === mostFailures || !this.isAlive)) this.say(wordsOf(error), true);
        break;
      }
    }
    this.#reading = false;
    if (!this.isPlaying) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#timer = setTimeout(() => this.read(), calm ? calmReadEveryMs : readEveryMs);
  }

  async #guard(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isCancelled(error)) this.say(wordsOf(error), true);
    } finally {
      this.busy = false;
      this.onChange.fire();
    }
  }

  #changed(): void {
    this.onChange.fire();
    this.#saveTimer ??= setTimeout(() => {
      this.#saveTimer = undefined;
      const { folder, settings, sigma, layers, perSecond } = this;
      const reading = this.shot && listsOf(this.shot);
      this.host.save({ folder, settings, sigma, layers: { ...layers }, perSecond, reading } satisfies PlaygroundState);
    }, saveEveryMs);
  }

  /** What an earlier page saw, where its run can be asked no more. */
  #restoreShot({ columns, rows, ...frame }: Viewed): void {
    const { reading } = this.#saved;
    if (this.shot || !reading || reading.columns !== columns || reading.rows !== rows) return;
    const of = (name: keyof Reading) => Float32Array.from((reading[name] as number[] | undefined) ?? []);
    this.shot = {
      ...{ frame, columns, rows, shade: 0 },
      reading: {
        ...{ step: Number(reading.step), sigma: Number(reading.sigma), samples: of('samples'), muReal: of('muReal') },
        ...{ muFake: reading.muFake === null ? null : of('muFake'), scoreReal: of('scoreReal') },
        ...{ scoreFake: of('scoreFake'), densityReal: of('densityReal'), densityFake: of('densityFake') },
      },
    };
  }
}

/** What another one of is another run. */
function ofRun({ target: { modes, std, stds, start }, seed }: Omit<PlaygroundSettings, 'name'>): string {
  return JSON.stringify([modes, std, stds ?? null, start.centre, start.std, seed]);
}

function wordsOf(error: unknown): string {
  if (error instanceof HostError) return error.hint ? `${error.message}. ${error.hint}` : error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Densities are large and come anew with the first reading. */
function listsOf({ reading, columns, rows }: Shot): PlaygroundState['reading'] {
  const lists = Object.entries(reading).map(([name, value]) => {
    if (!(value instanceof Float32Array)) return [name, value];
    return [name, name.startsWith('density') ? [] : Array.from(value, (number) => Number(number.toPrecision(5)))];
  });
  return { ...Object.fromEntries(lists), columns, rows };
}
