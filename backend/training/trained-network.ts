/**
 * A network in training: its state on the device, the gradient summed for its next update, and the programs of both. Updates are
 * functional: an iteration's work stands beside the state, or waits as its gradient, and `commit` puts it in its place or `drop`
 * forgets it.
 */
import type { DeviceTensor, Engine, Feed, Program } from '../engine/engine.ts';
import { byChunk, chunkName, type ParameterLayout } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { alone, type Ranks } from '../ranks/ranks.ts';
import { type ArraySource, type StoredArrays, sourceOf } from '../weights/array-source.ts';
import type { LateUpdate, Waiting } from './late-update.ts';
import { averagesOf, compilePrograms, type NetworkOptions, type NetworkPrograms } from './network-programs.ts';
import {
  type BufferedState,
  type Chunks,
  disposeAll,
  disposeState,
  savedState,
  startingState,
  storedState,
} from './network-state.ts';
import type { Origin } from './origin.ts';
import {
  adamBuffers,
  averageNames,
  targetName,
  type UpdateSettings,
  updateFeeds,
  updateGraph,
} from './update-graph.ts';

/** A state read from files, not yet in place. */
export interface RestoredState {
  take(): void;
  dispose(): void;
}

export class TrainedNetwork {
  readonly name: string;
  readonly layout: ParameterLayout;
  readonly emas: readonly number[];
  /** Of all averages, the target's among them. */
  readonly #averages: readonly string[];
  readonly #engine: Engine;
  readonly #updater: Program;
  readonly #adder: Program | null;
  readonly #ranks: Ranks;
  #state: BufferedState;
  /** While a commit is under way, and for ever where it failed. */
  #torn = false;
  #updates = 0;
  #candidate: BufferedState | null = null;
  #candidateUpdates = 0;
  /** Null where updates are computed at once. */
  readonly #late: LateUpdate | null;
  #waiting: Waiting | null = null;
  /** What the latest update of several began with, while somebody looks. */
  #before: BufferedState | null = null;
  #gradient: Chunks | null = null;
  #kept: Chunks | null = null;
  /** What a sum of gradients begins with; [] where none are summed. */
  readonly #zeros: Chunks;

  private constructor(
    engine: Engine,
    { name, layout, emas, target = false, ranks = alone }: Omit<NetworkOptions, 'start'>,
    state: BufferedState,
    { updater, adder, late }: NetworkPrograms,
  ) {
    this.name = name;
    this.layout = layout;
    this.emas = emas;
    this.#averages = averagesOf({ emas, target });
    this.#engine = engine;
    this.#updater = updater;
    this.#adder = adder;
    this.#late = late;
    this.#ranks = ranks;
    const trained = layout.chunks.filter(({ trainedSize }) => trainedSize > 0);
    this.#zeros = adder ? trained.map(({ trainedSize }) => engine.upload(zeros([trainedSize]))) : [];
    this.#state = state;
  }

  static async create(engine: Engine, { start, ...options }: NetworkOptions): Promise<TrainedNetwork> {
    const programs = await compilePrograms(engine, options);
    const state = await startingState(engine, options, [...adamBuffers, ...averagesOf(options)], start);
    return new TrainedNetwork(engine, options, state, programs);
  }

  /** As they are after the last commit. Valid until the next one. */
  get parameters(): Chunks {
    return this.#state.get('parameters')!;
  }

  /** As they are after this iteration's updates so far. Not after the last one. */
  get latest(): Chunks {
    if (this.#waiting) throw new Error(`the latest update of ${this.name} is not computed before it is committed`);
    return (this.#candidate ?? this.#state).get('parameters')!;
  }

  /** The moving average of that decay, or the first; the parameters themselves where none is kept. Throws for a decay that is not kept. */
  average(decay?: number): Chunks {
    const i = decay === undefined ? 0 : this.emas.indexOf(decay);
    if (i < 0) throw new Error(`${this.name} keeps no average of decay ${decay}`);
    return this.#state.get(averageNames(this.emas)[i] ?? 'parameters')!;
  }

  /** The target as it is after the last commit; the parameters themselves where none is kept. */
  get target(): Chunks {
    return this.#state.get(targetName) ?? this.parameters;
  }

  /** Updates since the start, committed ones. */
  get updates(): number {
    return this.#updates;
  }

  /** The gradient of the latest update, where it was kept. */
  get keptGradient(): Chunks | null {
    return this.#kept;
  }

  /** Adds a micro-batch's gradient, which is freed; `share` of the update's. */
  async accumulate(gradient: Chunks, share: number): Promise<void> {
    if (!this.#adder) {
      this.#gradient = gradient;
      return;
    }
    const total = this.#gradient ?? this.#zeros;
    const sums = await this.#adder.run({
      ...byChunk('total', total),
      ...byChunk('gradient', gradient),
      factor: { shape: [], data: Float32Array.of(share) },
    });
    disposeAll(this.#gradient ?? []);
    disposeAll(gradient);
    this.#gradient = gradient.map((_, i) => sums[chunkName('sum', i)]!);
  }

  /**
   * Updates from the gradient summed so far, over all ranks. @returns its norm before clipping, []
   * @param keeps until `forget`: the gradient; also what the update begins with, for `originOf`
   * @param last whether nobody looks at the network any more before it is committed: the update may be computed then
   */
  async update(
    settings: UpdateSettings,
    keeps: 'nothing' | 'gradient' | 'origin',
    last: boolean,
  ): Promise<DeviceTensor> {
    this.#refuseTorn();
    await this.#sumOverRanks();
    const step = settings.fresh ? 1 : (this.#candidate ? this.#candidateUpdates : this.#updates) + 1;
    disposeAll(this.#kept ?? []);
    this.#kept = keeps === 'nothing' ? null : this.#gradient;
    this.#candidateUpdates = step;
    if (this.#late && last && !this.#candidate && keeps !== 'origin') {
      const { norm, waiting } = await this.#late.begin(this.#gradient!, settings, step);
      this.#waiting = waiting;
      return norm;
    }
    const before = this.#candidate ?? this.#state;
    const results = await this.#updater.run(this.#feeds(before, this.#gradient!, settings, step));
    this.#freeGradient();
    if (this.#before) disposeState(this.#before);
    this.#before = this.#candidate;
    if (keeps !== 'origin') this.#forgetBefore();
    const next = (buffer: string) => this.layout.chunks.map((_, i) => results[`new.${chunkName(buffer, i)}`]!);
    this.#candidate = new Map(this.#buffers.map((buffer) => [buffer, next(buffer)] as const));
    return results.norm!;
  }

  /** Where it is not kept. */
  #freeGradient(): void {
    if (this.#gradient !== this.#kept) disposeAll(this.#gradient ?? []);
    this.#gradient = null;
  }

  /** What the update with number `step` is computed from. */
  #feeds(before: BufferedState, gradient: Chunks, settings: UpdateSettings, step: number): Record<string, Feed> {
    const feeds: Record<string, Feed> = { ...byChunk('gradient', gradient), ...updateFeeds(settings, step) };
    for (const [name, chunks] of before) {
      const anew = settings.fresh && name.endsWith('Moment');
      Object.assign(feeds, byChunk<Feed>(name, anew ? chunks.map(({ shape }) => zeros(shape)) : chunks));
    }
    return feeds;
  }

  /** Every rank has the same gradient then. It goes over the host, whatever the device. */
  async #sumOverRanks(): Promise<void> {
    if (this.#ranks.size === 1) return;
    const summed: DeviceTensor[] = [];
    try {
      for (const chunk of this.#gradient!) {
        const data = (await chunk.read()).slice();
        await this.#ranks.sum(data);
        summed.push(this.#engine.upload({ shape: chunk.shape, data }));
      }
    } catch (error) {
      disposeAll(summed);
      throw error;
    }
    disposeAll(this.#gradient!);
    this.#gradient = summed;
  }

  /** How the iteration's latest update came about; null unless it was kept. */
  originOf(settings: UpdateSettings): Origin | null {
    if (!this.#kept) return null;
    const before = this.#before ?? this.#state;
    const graph = updateGraph(this.layout, this.#averages);
    const fed = this.#feeds(before, this.#kept, settings, this.#candidateUpdates);
    const outputs = [...graph.outputs.keys()].filter((name) => name.startsWith('new.'));
    return { graph, given: [], outputs, fed, tensorOf: (output) => output.replace(/^new/, this.name) };
  }

  /** This iteration's new buffers by name, for whoever looks between two stages. */
  get candidate(): Readonly<Record<string, DeviceTensor>> {
    return Object.assign(
      {},
      ...[...(this.#candidate ?? [])].map(([name, chunks]) => byChunk(`${this.name}.${name}`, chunks)),
    );
  }

  /** Takes another tensor over in the place of one of them, which was freed. */
  adopt(name: string, value: DeviceTensor): void {
    if (!this.#candidate) throw new Error(`${this.name} has no update under way`);
    this.#candidate = new Map(
      [...this.#candidate].map(([buffer, chunks]) => [
        buffer,
        chunks.map((chunk, i) => (`${this.name}.${chunkName(buffer, i)}` === name ? value : chunk)),
      ]),
    );
  }

  /** After an error the state is half new, and nobody can have it any more. */
  async commit(): Promise<void> {
    if (!this.#candidate && !this.#waiting) return;
    this.#torn = true;
    if (this.#waiting) await this.#late!.commit(this.#state, this.#waiting);
    else {
      disposeState(this.#state);
      this.#state = this.#candidate!;
      this.#candidate = null;
    }
    this.#updates = this.#candidateUpdates;
    this.#torn = false;
    this.drop();
  }

  #refuseTorn(): void {
    if (this.#torn) throw new Error(`the latest update of ${this.name} failed half-way: go on from a checkpoint`);
  }

  /** Forgets what the iteration did. */
  drop(): void {
    if (this.#candidate) disposeState(this.#candidate);
    this.#candidate = null;
    this.#waiting?.factor.dispose();
    this.#waiting = null;
    this.#freeGradient();
    this.#forgetBefore();
  }

  /** Forgets what was kept; @param keepsGradient all but the gradient */
  forget(keepsGradient = false): void {
    this.#forgetBefore();
    if (keepsGradient) return;
    disposeAll(this.#kept ?? []);
    this.#kept = null;
  }

  #forgetBefore(): void {
    if (this.#before) disposeState(this.#before);
    this.#before = null;
  }

  /** Every buffer whole, and `steps` [1], the updates; to be read before the next commit. */
  save(): Map<string, ArraySource> {
    this.#refuseTorn();
    const steps = sourceOf({ shape: [1], data: Float32Array.of(this.#updates) });
    return savedState(this.#state, this.layout).set('steps', steps);
  }

  /**
   * Reads a saved state onto the device, slice by slice, beside the one that is there. An average that is not in it begins at the
   * parameters.
   * @param updates where the state does not say. Throws UserError('data') when it is not one of this layout.
   */
  async read(stored: StoredArrays | undefined, updates: number): Promise<RestoredState> {
    const state = await storedState(this.#engine, this, this.#buffers, stored);
    const [steps] = stored?.shape('steps') ? await stored.read('steps', 0, 1) : [updates];
    return {
      take: () => {
        disposeState(this.#state);
        this.#state = state;
        this.#updates = steps!;
        this.#torn = false;
      },
      dispose: () => disposeState(state),
    };
  }

  async dispose(): Promise<void> {
    this.drop();
    this.forget();
    disposeState(this.#state);
    disposeAll(this.#zeros);
    await this.#updater.dispose();
    await this.#adder?.dispose();
    await this.#late?.dispose();
  }

  get #buffers(): string[] {
    return [...adamBuffers, ...this.#averages];
  }
}

const zeros = (shape: readonly number[]): TensorData => ({ shape, data: new Float32Array(shape[0]!) });
