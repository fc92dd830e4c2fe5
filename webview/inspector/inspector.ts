/** What is inspected: the person's choice, the questions it leads to, one at a time, and the answers. Shows nothing itself. */
import type { Inspection, InspectionQuery } from '../../backend/protocol/inspection.ts';
import {
  describeInspection,
  type InspectedState,
  type InspectorChoice,
  type InspectorState,
  inspectedChanged,
  inspectHere,
  inspectorStateSchema,
  inspectorTitle,
  inspectScores,
  pickInspected,
  progress,
} from '../../backend/protocol/panels/inspector.ts';
import type { InspectorTexts } from '../../backend/protocol/panels/inspector-texts.ts';
import type { Inspectable } from '../../backend/protocol/rpc/inspect.ts';
import { type Host, HostError, isCancelled } from '../shared/host.ts';
import { Topic } from '../shared/topic.ts';

export interface Work {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

/** Levels of the strip and the curves. */
const stripLevels = 16;

const first: InspectorState = {
  ...{ folder: null, state: 'latest', other: null, look: null },
  query: {
    ...{ sample: { kind: 'seed', seed: 1 }, condition: null, level: { by: 'index', value: 500 } },
    ...{ strip: [], stepSize: 0.1 },
  },
};

export class Inspector {
  readonly texts: InspectorTexts;
  readonly host: Host;
  /** Anything changed: the choice, an answer, how far it is. */
  readonly onChange = new Topic();
  #state: InspectorState;
  #described: (Inspectable & { readonly folder: string }) | null = null;
  /** Of the state, and of the other beside it. */
  #found: readonly Inspection[] = [];
  #foundFor = '';
  #work: Work | null = null;
  #problem: { readonly message: string; readonly hint: string } | null = null;
  #abort: AbortController | null = null;
  #asked = 0;

  /** @param choice what the host opened the page for; null after a reload */
  constructor(host: Host, texts: InspectorTexts, choice: InspectorChoice | null) {
    this.host = host;
    this.texts = texts;
    const saved = host.load(inspectorStateSchema);
    // A page that was thrown away and comes back keeps what it was changed to since.
    this.#state = saved ?? (choice ? chosen(first, choice) : first);
    host.on(inspectHere, (next) => this.#take(chosen(this.#state, next)));
    host.on(inspectedChanged, () => void this.#describeAgain());
    host.on(progress, ({ id, ...work }) => {
      if (id !== this.#id) return;
      this.#work = work;
      this.onChange.fire();
    });
  }

  get state(): InspectorState {
    return this.#state;
  }

  get described(): Inspectable | null {
    return this.#described;
  }

  get found(): readonly Inspection[] {
    return this.#found;
  }

  get work(): Work | null {
    return this.#work;
  }

  get problem(): { readonly message: string; readonly hint: string } | null {
    return this.#problem;
  }

  start(): void {
    this.#take(this.#state);
  }

  change(change: Partial<Omit<InspectorState, 'query' | 'look'>> & { query?: Partial<InspectionQuery> }): void {
    const { query, ...rest } = change;
    this.#take({ ...this.#state, ...rest, query: { ...this.#state.query, ...query } });
  }

  /** How it is looked at: asks nothing. */
  keepLook(look: unknown): void {
    this.#state = { ...this.#state, look };
    this.host.save(this.#state);
    this.onChange.fire();
  }

  async pickRun(): Promise<void> {
    const { folder } = await this.host.request(pickInspected, {});
    if (folder !== null) this.change({ folder, state: 'latest', other: null });
  }

  cancel(): void {
    this.#abort?.abort();
  }

  /** The same question again: a run goes on. */
  again(): void {
    this.#foundFor = '';
    this.#take(this.#state);
  }

  get #id(): string {
    return `inspector-${this.#asked}`;
  }

  #take(state: InspectorState): void {
    if (state.folder !== this.#described?.folder) {
      this.#described = null;
      this.#found = [];
      this.#foundFor = '';
    }
    this.#state = state;
    this.host.save(state);
    this.host.notify(inspectorTitle, { folder: state.folder });
    void this.#ask();
  }

  /** The newest question alone is answered. */
  async #ask(): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#asked++;
    this.#problem = null;
    const { folder } = this.#state;
    this.#work = folder === null ? null : { label: 'opening', done: 0, total: 1 };
    this.onChange.fire();
    if (folder === null) return;
    try {
      await this.#answer(folder, abort.signal);
    } catch (error) {
      if (this.#abort !== abort) return;
      this.#problem = isCancelled(error) ? { message: this.texts.cancelled, hint: '' } : wordsOf(error);
    } finally {
      if (this.#abort === abort) {
        this.#abort = null;
        this.#work = null;
        this.onChange.fire();
      }
    }
  }

  async #answer(folder: string, signal: AbortSignal): Promise<void> {
    if (!this.#described) {
      const described = await this.host.request(describeInspection, { id: this.#id, folder }, signal);
      if (signal.aborted) return;
      this.#described = { ...described, folder };
      const state = nearestState(described, this.#state.state);
      this.#state = { ...this.#state, state, query: fitting(described, this.#state.query) };
      this.host.save(this.#state);
    }
    const { state, other } = this.#state;
    const states = [...(other === null ? [] : [other]), state].map((one) => this.#resolved(one));
    const { level: _, stepSize: __, ...query } = this.#state.query;
    const key = JSON.stringify([folder, states, query]);
    // Another level, or step, of the same image: the ladder is there.
    const kept = key === this.#foundFor && !states.includes('live') ? this.#found : null;
    const found: Inspection[] = [];
    for (const [i, one] of states.entries()) {
      const asked = { ...this.#state.query, strip: kept ? [] : this.#state.query.strip };
      const answer = await this.host.request(inspectScores, { id: this.#id, folder, state: one, query: asked }, signal);
      if (signal.aborted) return;
      found.push(kept ? { ...answer, strip: kept[i]!.strip, levels: kept[i]!.levels } : answer);
    }
    this.#found = found;
    this.#foundFor = key;
  }

  #resolved(state: InspectedState): number | 'live' {
    if (state !== 'latest') return state;
    const { checkpoints, live, missing } = this.#described!;
    const [newest] = checkpoints;
    if (newest !== undefined) return newest;
    if (live) return 'live';
    throw new HostError('data', this.texts.nothing, missing);
  }

  /** Checkpoints come and go while a run works. */
  async #describeAgain(): Promise<void> {
    const { folder } = this.#state;
    if (folder === null) return;
    if (!this.#described) return this.#work ? undefined : this.#ask();
    try {
      const described = await this.host.request(describeInspection, { id: 'inspector-news', folder });
      if (this.#state.folder !== folder) return;
      this.#described = { ...described, folder };
      this.onChange.fire();
    } catch {
      // The next question says what is wrong.
    }
  }
}

function chosen(state: InspectorState, { folder, state: at, ...query }: InspectorChoice): InspectorState {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  const same = folder === state.folder;
  return {
    ...state,
    folder,
    state: at ?? (same ? state.state : 'latest'),
    other: same ? state.other : null,
    query: { ...state.query, ...(same ? {} : { condition: null }), ...given },
  };
}

/** Pictures are recorded at other steps than checkpoints: the nearest one is meant. */
function nearestState({ checkpoints }: Inspectable, state: InspectedState): InspectedState {
  if (typeof state !== 'number' || checkpoints.length === 0) return state;
  const away = (step: number) => Math.abs(step - state);
  return checkpoints.reduce((best, step) => (away(step) < away(best) ? step : best));
}

/** What the run does not have becomes what it has. */
function fitting(described: Inspectable, query: InspectionQuery): InspectionQuery {
  const { levels, range, latent, classes, samples, probe } = described;
  const last = levels.sigma.length - 1;
  const [low, high] = range;
  const strip = Array.from({ length: stripLevels }, (_, i) => Math.round(low + ((high - low) * i) / (stripLevels - 1)));
  const { sample, condition, level } = query;
  const counts = { seed: Number.POSITIVE_INFINITY, samples, probe };
  const isThere = sample.kind === 'seed' || sample.index < counts[sample.kind];
  const fits = condition === null || ('class' in condition ? !latent && condition.class < classes.length : latent);
  const levelFits = level.by === 'sigma' || (level.by === 'timestep' ? levels.timesteps : true);
  return {
    ...query,
    strip: [...new Set(strip)],
    sample: isThere ? sample : { kind: 'seed', seed: 1 },
    condition: fits ? condition : null,
    level:
      levelFits && (level.by === 'sigma' || level.value <= last) ? level : { by: 'index', value: Math.round(last / 2) },
  };
}

function wordsOf(error: unknown): { message: string; hint: string } {
  if (error instanceof HostError) return { message: error.message, hint: error.hint };
  return { message: error instanceof Error ? error.message : String(error), hint: '' };
}
